"""Exact match and the metrics over words give fmeval's published values."""

from statistics import fmean

import pytest

from evaluations.metrics.base import RowMetric
from evaluations.metrics.exact import ExactMatch, QuasiExactMatch
from evaluations.metrics.words import F1, PrecisionOverWords, RecallOverWords

# aws/fmeval, test/unit/eval_algorithms/test_qa_accuracy.py (Apache-2.0).
CAPITALS = [
    ("London", "London"),
    ("Quentin Tarantino", "tarantino!"),
    ("Paris", "London"),
    ("Rome", "rome!"),
    ("1978<OR>1986<OR>2022", "2022"),
]


@pytest.mark.parametrize(
    ("metric", "mean"), [(F1("x", {}), 11 / 15), (ExactMatch("x", {}), 2 / 5), (QuasiExactMatch("x", {}), 3 / 5)]
)
def test_published_means_of_fmeval(metric: RowMetric, mean: float) -> None:
    assert fmean(metric.score(*row) or 0.0 for row in CAPITALS) == pytest.approx(mean, abs=1e-12)


def test_exact_match_ignores_white_space_at_the_ends_only() -> None:
    metric = ExactMatch("x", {})
    assert metric.score("P2 refund", " P2 refund\n") == 1
    assert metric.score("P2 refund", "P2  refund") == 0
    assert metric.score("P2 refund", "p2 refund") == 0


def test_quasi_exact_match_ignores_case_punctuation_and_articles() -> None:
    metric = QuasiExactMatch("x", {})
    assert metric.score("The P2 refund.", "p2   refund") == 1
    assert metric.score("P2 refund", "P2 refunds") == 0


def test_precision_falls_with_more_words_and_recall_with_fewer() -> None:
    precision, recall, both = PrecisionOverWords("x", {}), RecallOverWords("x", {}), F1("x", {})
    assert precision.score("red car", "a red car parked outside") == 0.5
    assert recall.score("red car", "a red car parked outside") == 1
    assert both.score("red car", "a red car parked outside") == pytest.approx(2 / 3)
    assert recall.score("red car", "car") == 0.5


def test_words_count_once() -> None:
    assert PrecisionOverWords("x", {}).score("red car", "red red red bus") == 0.5


def test_the_best_of_several_accepted_answers_counts() -> None:
    assert F1("x", {}).score("United Kingdom<OR>England", "england") == 1
