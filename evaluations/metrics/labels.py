"""Classification: the label that an answer names, and how often it is the right one.

Labels are the references, normalised to lower case. An answer's label is found as fmeval does: the first of its words
that is a label. Unlike fmeval, a label may have several words, and punctuation beside it is ignored.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from evaluations.metrics.base import Answers, Metric, RowMetric, SetMetric

UNKNOWN = "unknown"
MOST_LABELS = 200
LONGEST_LABEL = 80
# Fewer rows per label, on average, than this are texts rather than labels.
ROWS_PER_LABEL = 2


@dataclass(frozen=True)
class Confusion:
    """How often each label was answered where another was expected. `counts[expected, answered]` has no zeros."""

    labels: list[str]
    counts: Counter[tuple[str, str]]

    def right(self, label: str) -> int:
        return self.counts[label, label]

    def expected(self, label: str) -> int:
        return sum(self.counts[label, other] for other in [*self.labels, UNKNOWN])

    def answered(self, label: str) -> int:
        return sum(self.counts[other, label] for other in self.labels)

    def precision(self, label: str) -> float | None:
        """None if the label was never answered."""
        answered = self.answered(label)
        return self.right(label) / answered if answered else None

    def recall(self, label: str) -> float:
        """Of labels of the references, so there is always at least one row."""
        return self.right(label) / self.expected(label)

    @property
    def matrix(self) -> list[list[int]]:
        """Rows are the expected labels; columns are the labels in the same order, then `unknown`."""
        return [[self.counts[row, column] for column in [*self.labels, UNKNOWN]] for row in self.labels]


@dataclass(frozen=True)
class _Labelled:
    expected: list[str]
    answered: list[str]
    confusion: Confusion


class _LabelMetric(Metric):
    def unavailable(self, answers: Answers) -> str:
        return not_labels(answers.references)


class ClassificationAccuracy(_LabelMetric, RowMetric):
    """1 if the answer's label is the reference (fmeval's `classification_accuracy_score`)."""

    name = "classification_accuracy_score"
    title = "Classification accuracy"
    note = "Share of answers that name the right label."

    def scores(self, answers: Answers) -> list[float | None]:
        labelled = answers.shared(_labelled)
        if labelled is None:
            return [None] * len(answers)
        return [float(a == b) for a, b in zip(labelled.expected, labelled.answered, strict=True)]

    def details(self, answers: Answers) -> dict[str, Any]:
        """{labels, matrix, per_label: {label: {rows, precision, recall}}}; the last column is `unknown`."""
        labelled = answers.shared(_labelled)
        if labelled is None:
            return {}
        confusion = labelled.confusion
        per_label = {
            label: {
                "rows": confusion.expected(label),
                "precision": confusion.precision(label),
                "recall": confusion.recall(label),
            }
            for label in confusion.labels
        }
        return {"labels": [*confusion.labels, UNKNOWN], "matrix": confusion.matrix, "per_label": per_label}


class BalancedAccuracy(_LabelMetric, SetMetric):
    """Mean of the labels' recalls (fmeval's `balanced_accuracy_score`)."""

    name = "balanced_accuracy_score"
    title = "Balanced accuracy"
    note = "Share of right labels, where rare labels count as much as frequent ones."

    def value(self, answers: Answers) -> float | None:
        labelled = answers.shared(_labelled)
        return fmean(map(labelled.confusion.recall, labelled.confusion.labels)) if labelled else None


class MacroPrecision(_LabelMetric, SetMetric):
    """Mean of the labels' precisions, 0 for a label that was never answered, as scikit-learn's `average="macro"`."""

    name = "precision_score"
    title = "Precision per label, mean"
    note = "How often an answered label is right, averaged over the labels."

    def value(self, answers: Answers) -> float | None:
        labelled = answers.shared(_labelled)
        if labelled is None:
            return None
        return fmean(labelled.confusion.precision(label) or 0.0 for label in labelled.confusion.labels)


def not_labels(references: Sequence[str]) -> str:
    """Why the references are no labels, as a sentence; empty if they are."""
    if not references:
        return "There are no rows."
    labels = set(map(_label, references))
    if "" in labels:
        return "At least one expected answer is empty, so they are no labels."
    if max(map(len, labels)) > LONGEST_LABEL:
        return f"Expected answers of more than {LONGEST_LABEL} characters are no labels."
    if len(labels) < 2:
        return "All expected answers are the same, so there is nothing to classify."
    if len(labels) > min(MOST_LABELS, len(references) / ROWS_PER_LABEL):
        return f"{len(labels)} different expected answers in {len(references)} rows are too many to be labels."
    return ""


def _label(text: str) -> str:
    return " ".join(text.lower().split())


def _labelled(answers: Answers) -> _Labelled | None:
    if not_labels(answers.references):
        return None
    expected = [_label(reference) for reference in answers.references]
    labels = sorted(set(expected))
    # The longest first, so that "not urgent" is not read as "urgent" where both begin at the same place.
    either = "|".join(map(re.escape, sorted(labels, key=len, reverse=True)))
    pattern = re.compile(rf"(?<!\w)(?:{either})(?!\w)")
    answered = []
    for text in answers.texts:
        given = _label(text)
        found = None if given in labels else pattern.search(given)
        answered.append(given if given in labels else found[0] if found else UNKNOWN)
    counts = Counter(zip(expected, answered, strict=True))
    return _Labelled(expected, answered, Confusion(labels, counts))
