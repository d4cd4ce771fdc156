"""ROUGE (Lin 2004): F measures over stemmed words, equal to those of the `rouge-score` library.

Its words are runs of a-z and 0-9, so a reference without any has no score.
"""

import re
from functools import cache
from importlib.metadata import version
from typing import Any

from evaluations.metrics.base import Answers, RowMetric

TYPES = ("rouge1", "rouge2", "rougeL", "rougeLsum")
# Time and memory of the longest common subsequence grow with the product of the lengths: about five seconds at this.
LARGEST = 10**10
_WORD = re.compile("[a-z0-9]")

Scores = dict[str, float] | None


class _Rouge(RowMetric):
    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        super().__init__(alias, options)
        self.version = f"rouge-score-rs {version('rouge-score-rs')}"

    def unavailable(self, answers: Answers) -> str:
        reason = super().unavailable(answers)
        if not reason and all(scores is None for scores in answers.by_row(_rouge)):
            return "ROUGE compares words of the letters a to z, and no expected answer has any."
        return reason

    def scores(self, answers: Answers) -> list[float | None]:
        return [None if scores is None else scores[self.name] for scores in answers.by_row(_rouge)]


class Rouge1(_Rouge):
    """F measure of single words."""

    name = "rouge1"
    title = "ROUGE-1"
    note = "Words in common (stemmed F-measure)."


class Rouge2(_Rouge):
    """F measure of pairs of adjacent words, fmeval's default."""

    name = "rouge2"
    title = "ROUGE-2"
    note = "Pairs of adjacent words in common (stemmed F-measure)."


class RougeL(_Rouge):
    """F measure of the longest common subsequence of words."""

    name = "rougeL"
    title = "ROUGE-L"
    note = "Words in common, in order (stemmed F-measure)."


class RougeLsum(_Rouge):
    """As ROUGE-L, line by line: for each line of the reference, the union over the lines of the answer."""

    name = "rougeLsum"
    title = "ROUGE-Lsum"
    note = "Words in common, in order, line by line (stemmed F-measure)."


def _rouge(answers: Answers) -> list[Scores]:
    """All types at once: tokenising and stemming are most of the work."""
    scorer = _scorer()
    results: list[Scores] = []
    for reference, text in zip(answers.references, answers.texts, strict=True):
        if not _WORD.search(reference.lower()) or len(reference) * len(text) > LARGEST:
            results.append(None)
            continue
        scores = scorer.score(reference, text)
        results.append({kind: scores[kind].fmeasure for kind in TYPES})
    return results


@cache
def _scorer() -> Any:
    from rouge_score_rs import RougeScorer

    return RougeScorer(list(TYPES), use_stemmer=True)  # type: ignore[no-untyped-call]
