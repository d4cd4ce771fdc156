"""Words that answer and reference have in common, in any order; the best of the accepted answers counts.

Definitions are fmeval's: words are sets, normalised by the QuAC protocol, and a side without words scores 0.
"""

from abc import abstractmethod
from typing import NamedTuple

from evaluations.metrics.base import Answers, RowMetric
from evaluations.metrics.normalised import accepted, normalised


class Overlap(NamedTuple):
    """Numbers of different words."""

    expected: int
    given: int
    common: int


class _WordMetric(RowMetric):
    def scores(self, answers: Answers) -> list[float | None]:
        return [max(map(self.of, overlaps)) for overlaps in answers.by_row(_overlaps)]

    @abstractmethod
    def of(self, overlap: Overlap) -> float:
        """0..1 for one of the accepted answers."""


class F1(_WordMetric):
    """Harmonic mean of precision and recall over words (fmeval's `f1_score`)."""

    name = "f1_score"
    title = "F1 over words"
    note = "Words in common with the expected answer; both missing and additional words count against the answer."

    def of(self, overlap: Overlap) -> float:
        words = overlap.expected + overlap.given
        return 2 * overlap.common / words if words else 0.0


class PrecisionOverWords(_WordMetric):
    """Share of the answer's words that are in the reference (fmeval's `precision_over_words`)."""

    name = "precision_over_words"
    title = "Precision over words"
    note = "Share of the answer's words that the expected answer has too: low if the answer says more."

    def of(self, overlap: Overlap) -> float:
        return overlap.common / overlap.given if overlap.given else 0.0


class RecallOverWords(_WordMetric):
    """Share of the reference's words that are in the answer (fmeval's `recall_over_words`)."""

    name = "recall_over_words"
    title = "Recall over words"
    note = "Share of the expected answer's words that the answer has too: low if something is missing."

    def of(self, overlap: Overlap) -> float:
        return overlap.common / overlap.expected if overlap.expected else 0.0


def _overlaps(answers: Answers) -> list[list[Overlap]]:
    """One for each accepted answer of each row."""
    rows = []
    for reference, text in zip(answers.references, answers.texts, strict=True):
        given = set(normalised(text).split())
        either = [set(normalised(target).split()) for target in accepted(reference)]
        rows.append([Overlap(len(expected), len(given), len(expected & given)) for expected in either])
    return rows
