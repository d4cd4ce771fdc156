"""Every metric keeps the contract, and each agrees with published values."""

import time

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from evaluations.metrics import metrics
from evaluations.metrics.base import Metric
from evaluations.metrics.text import ExactMatch, Meteor, RougeL

FOX = "The quick brown fox jumps over the lazy dog"
DOG = "The quick brown dog jumps on the log."


@pytest.fixture(params=sorted(settings.METRICS))
def metric(request: pytest.FixtureRequest) -> Metric:
    return metrics[request.param]


def test_the_reference_itself_scores_highest(metric: Metric) -> None:
    same, other = metric.score(FOX, FOX), metric.score(FOX, DOG)
    assert same is not None
    assert other is not None
    assert 0 <= other < same <= 1
    assert same == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    "answer", ["", " \n", "完全不同", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")]
)
def test_an_answer_without_a_word_of_the_reference_scores_nothing(metric: Metric, answer: str) -> None:
    assert metric.score(FOX, answer) == 0


@pytest.mark.parametrize("reference", ["", "—", "合同于三十天后终止"])
def test_any_reference_gives_a_share_or_nothing(metric: Metric, reference: str) -> None:
    score = metric.score(reference, FOX)
    assert score is None or 0 <= score <= 1


def test_a_metric_says_what_it_is(metric: Metric) -> None:
    assert metric.title
    assert metric.note


def test_an_unknown_option_is_refused(metric: Metric) -> None:
    with pytest.raises(ValueError, match=r"METRICS\['x'\] has unknown options: STEMS"):
        type(metric)("x", {"STEMS": True})


def test_exact_match_ignores_white_space_at_the_ends_only() -> None:
    metric = ExactMatch("x", {})
    assert metric.score("P2 refund", " P2 refund\n") == 1
    assert metric.score("P2 refund", "P2  refund") == 0
    assert metric.score("P2 refund", "p2 refund") == 0


def test_rouge_l_is_the_stemmed_f_measure() -> None:
    assert RougeL("x", {}).score(FOX, DOG) == pytest.approx(0.588235, abs=1e-6)


@given(
    st.lists(st.sampled_from(["a", "b", "the", "running", "runs", "ran", "12", "3", "-"])),
    st.lists(st.sampled_from(["a", "b", "the", "run", "12", "x"])),
)
def test_rouge_l_is_what_the_library_gives(reference: list[str], answer: list[str]) -> None:
    ours = RougeL("x", {}).score(" ".join(reference), " ".join(answer))
    theirs = RougeScorer(["rougeL"], use_stemmer=True).score(" ".join(reference), " ".join(answer))
    assert (ours or 0.0) == pytest.approx(theirs["rougeL"].fmeasure, abs=1e-12)


def test_long_texts_are_scored_in_no_time(metric: Metric) -> None:
    reference = " ".join(f"word{n % 500} and{n % 7}" for n in range(4000))
    answer = " ".join(f"word{n % 300} and{n % 5}" for n in range(4000))
    started = time.process_time()
    assert metric.score(reference, answer) is not None
    assert time.process_time() - started < 5


def test_rouge_l_is_silent_where_it_sees_no_words() -> None:
    assert RougeL("x", {}).score("合同于三十天后终止", "合同于三十天后终止") is None


def test_meteor_agrees_with_the_librarys_own_example() -> None:
    reference = "It is a guide to action that ensures that the military will forever heed Party commands"
    answer = "It is a guide to action which ensures that the military always obeys the commands of the party"
    assert Meteor("x", {}).score(reference, answer) == pytest.approx(0.6944, abs=5e-5)
