"""Classification: which label an answer names, and the figures over labels."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluations.metrics.base import Answers
from evaluations.metrics.labels import BalancedAccuracy, ClassificationAccuracy, MacroPrecision, not_labels

ACCURACY, BALANCED, PRECISION = ClassificationAccuracy("x", {}), BalancedAccuracy("x", {}), MacroPrecision("x", {})
# 6 of "refund" and 2 of "not urgent": 4 and 1 right, 1 unknown.
EXPECTED = ["Refund"] * 6 + ["not urgent"] * 2
GIVEN = ["refund", "Refund.", "It is a refund!", "REFUND", "not urgent", "no idea", "Not urgent.", "refund"]


def test_an_answer_names_the_first_label_in_it() -> None:
    expected = ["urgent", "not urgent", "urgent", "not urgent"]
    given = ["urgent, or not urgent", "This is not urgent.", "insurgent", "not  Urgent"]
    assert ACCURACY.scores(Answers(expected, given)) == [1, 1, 0, 1]


def test_figures_of_a_set() -> None:
    answers = Answers(EXPECTED, GIVEN)
    assert ACCURACY.value(answers) == pytest.approx(5 / 8)
    assert BALANCED.value(answers) == pytest.approx((4 / 6 + 1 / 2) / 2)
    assert PRECISION.value(answers) == pytest.approx((4 / 5 + 1 / 2) / 2)


def test_a_page_gets_the_confusion_matrix_and_figures_by_label() -> None:
    assert ACCURACY.details(Answers(EXPECTED, GIVEN)) == {
        "labels": ["not urgent", "refund", "unknown"],
        "matrix": [[1, 1, 0], [1, 4, 1]],
        "per_label": {
            "not urgent": {"rows": 2, "precision": 0.5, "recall": 0.5},
            "refund": {"rows": 6, "precision": 0.8, "recall": pytest.approx(4 / 6)},
        },
    }


def test_a_label_that_was_never_answered_has_no_precision() -> None:
    answers = Answers(["a", "b", "a", "b"], ["a", "a", "a", "?"])
    assert ACCURACY.details(answers)["per_label"]["b"]["precision"] is None
    assert PRECISION.value(answers) == pytest.approx((2 / 3) / 2)


@pytest.mark.parametrize(
    ("references", "reason"),
    [
        (["a", "a"], "nothing to classify"),
        (["a", "b", ""], "is empty"),
        (["a", "b", "c", "d", "a"], "4 different expected answers in 5 rows"),
        (["x" * 81, "a"] * 5, "more than 80 characters"),
        ([str(n) for n in range(201)] * 2, "201 different"),
        ([], "no rows"),
    ],
)
def test_texts_are_no_labels(references: list[str], reason: str) -> None:
    assert reason in not_labels(references)
    answers = Answers(references, references)
    assert ACCURACY.value(answers) is BALANCED.value(answers) is PRECISION.value(answers) is None
    assert ACCURACY.details(answers) == {}


labels = st.sampled_from(["a", "b b", "c", "B", "?", ""])


@given(st.lists(st.tuples(st.sampled_from(["a", "b b", "c"]), labels), min_size=6))
@settings(deadline=None)
def test_the_matrix_counts_every_row(rows: list[tuple[str, str]]) -> None:
    answers = Answers([first for first, _ in rows], [second for _, second in rows])
    if ACCURACY.unavailable(answers):
        return
    details = ACCURACY.details(answers)
    matrix = details["matrix"]
    assert sum(map(sum, matrix)) == len(rows)
    assert sum(matrix[n][n] for n in range(len(matrix))) == pytest.approx((ACCURACY.value(answers) or 0) * len(rows))
