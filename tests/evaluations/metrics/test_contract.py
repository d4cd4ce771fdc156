"""Every metric keeps the contract, whatever the texts are."""

import time

import hypothesis
import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from evaluations.metrics import metrics
from evaluations.metrics.base import Answers, Metric, RowMetric
from evaluations.metrics.suite import choose
from tests.examples import examples

FOX = "The quick brown fox jumps over the lazy dog"
DOG = "The quick brown dog jumps on the log."
ROWS = [(f"Put it on shelf {n % 3}", f"it is shelf {n % 2}") for n in range(12)]

TEXT_METRICS = [
    "exact_match",
    "quasi_exact_match",
    "f1",
    "precision_over_words",
    "recall_over_words",
    "rouge_1",
    "rouge_2",
    "rouge_l",
    "rouge_lsum",
    "meteor",
    "bleu",
    "chrf",
]


@pytest.fixture(params=sorted(settings.METRICS))
def metric(request: pytest.FixtureRequest) -> Metric:
    return metrics[request.param]


@pytest.fixture(params=TEXT_METRICS)
def text_metric(request: pytest.FixtureRequest) -> RowMetric:
    found = metrics[request.param]
    assert isinstance(found, RowMetric)
    return found


def test_a_metric_says_what_it_is(metric: Metric) -> None:
    assert metric.name
    assert metric.title
    assert metric.note.endswith(".")
    assert metric.lowest < metric.highest
    assert metric.scope == ("row" if isinstance(metric, RowMetric) else "set")
    assert metric.version or metric.unavailable(Answers([FOX], [DOG]))


def test_an_unknown_option_is_refused(metric: Metric) -> None:
    with pytest.raises(ValueError, match=r"METRICS\['x'\] has unknown options: STEMS"):
        type(metric)("x", {"STEMS": True})


def test_without_rows_there_is_no_figure(metric: Metric) -> None:
    assert metric.unavailable(Answers([], []))
    assert metric.value(Answers([], [])) is None


def test_a_metric_that_does_not_apply_gives_a_reason_and_no_figure(metric: Metric) -> None:
    answers = Answers(["", "—"], ["x", "y"])
    reason = metric.unavailable(answers)
    assert reason == "" or reason.endswith(".")
    if reason:
        assert metric.value(answers) is None


def test_the_reference_itself_scores_highest(text_metric: RowMetric) -> None:
    same, other = text_metric.score(FOX, FOX), text_metric.score(FOX, DOG)
    assert same is not None
    assert other is not None
    assert 0 <= other < same <= 1
    assert same == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    "answer", ["", " \n", "完全不同", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")]
)
def test_an_answer_without_a_word_of_the_reference_scores_nothing(text_metric: RowMetric, answer: str) -> None:
    assert text_metric.score(FOX, answer) == 0


@pytest.mark.parametrize("reference", ["", "—", "合同于三十天后终止"])
def test_any_reference_gives_a_share_or_nothing(text_metric: RowMetric, reference: str) -> None:
    score = text_metric.score(reference, FOX)
    assert score is None or 0 <= score <= 1


texts = st.one_of(
    st.text(),
    st.text(st.characters()),
    st.lists(st.sampled_from(["a", "the", "Running", "runs", "<OR>", "\n", "12", ".", "Straße", "合同"])).map(" ".join),
    st.recursive(st.none() | st.integers() | st.text(max_size=3), lambda x: st.lists(x, max_size=3)).map(repr),
)


@given(st.lists(st.tuples(texts, texts), max_size=6))
@hypothesis.settings(max_examples=examples(60), deadline=None)
def test_scores_stay_in_range_for_any_text(rows: list[tuple[str, str]]) -> None:
    answers = Answers([first for first, _ in rows], [second for _, second in rows], [-0.5] * len(rows))
    suite = choose(metrics, answers)
    assert suite.metrics.keys() | suite.unavailable.keys() == set(metrics)
    figures = suite.values(answers)
    for alias, metric in suite.metrics.items():
        known = [row[alias] for row in suite.rows(answers) if alias in row]
        for score in [*known, figures[alias]]:
            assert score is None or metric.lowest <= score <= metric.highest


@given(texts)
@hypothesis.settings(max_examples=examples(60), deadline=None)
def test_a_text_is_as_good_as_itself(text: str) -> None:
    for alias in TEXT_METRICS:
        metric = metrics[alias]
        assert isinstance(metric, RowMetric)
        own = metric.score(text, text)
        other = metric.score(text, text + " and more words than were wanted")
        assert own is None or other is None or "<OR>" in text or own >= other - 0.51 / max(len(text.split()), 1) ** 2


@given(texts, texts)
@hypothesis.settings(max_examples=examples(60), deadline=None)
def test_f_measures_are_the_same_both_ways(first: str, second: str) -> None:
    if "<OR>" in first + second:
        return
    for alias in ("exact_match", "quasi_exact_match", "f1", "rouge_1", "rouge_2", "rouge_l"):
        metric = metrics[alias]
        assert isinstance(metric, RowMetric)
        forth, back = metric.score(first, second), metric.score(second, first)
        if forth is not None and back is not None:
            assert forth == pytest.approx(back, abs=1e-12)


def test_long_texts_are_scored_in_no_time(text_metric: RowMetric) -> None:
    reference = " ".join(f"word{n % 500} and{n % 7}" for n in range(4000))
    answer = " ".join(f"word{n % 300} and{n % 5}" for n in range(4000))
    started = time.process_time()
    assert text_metric.score(reference, answer) is not None
    assert time.process_time() - started < 5


def test_a_text_of_megabytes_ends_too(text_metric: RowMetric) -> None:
    reference = "one two three " * 100_000
    started = time.process_time()
    score = text_metric.score(reference, "two three four " * 100_000)
    assert score is None or 0 <= score <= 1
    assert time.process_time() - started < 60


def test_a_row_by_itself_scores_as_among_others(text_metric: RowMetric) -> None:
    together = text_metric.scores(Answers([row[0] for row in ROWS], [row[1] for row in ROWS]))
    assert together == [text_metric.score(*row) for row in ROWS]


def test_a_suite_names_what_does_not_apply_and_why() -> None:
    suite = choose(metrics, Answers([FOX], [DOG]), chosen=["bleu", "bertscore", "json_validity", "calibration_error"])
    assert list(suite.metrics) == ["bleu"]
    assert suite.unavailable == {
        "bertscore": "No encoder is configured on this site.",
        "json_validity": "No expected answer is a JSON object or list.",
        "calibration_error": "The model gave no log-probabilities with its answers.",
    }


def test_a_metric_that_does_not_exist_cannot_be_chosen() -> None:
    with pytest.raises(KeyError, match="blue"):
        choose(metrics, Answers([FOX], [DOG]), chosen=["blue"])


def test_answers_have_to_match_the_references() -> None:
    with pytest.raises(ValueError, match="same length"):
        Answers([FOX], [])
