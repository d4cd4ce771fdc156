"""Whether an answer is the reference."""

from evaluations.metrics.base import PairMetric
from evaluations.metrics.normalised import accepted, normalised


class ExactMatch(PairMetric):
    """1 if the answer equals the reference, ignoring white space at either end (fmeval's `exact_match_score`)."""

    name = "exact_match_score"
    title = "Exact match"
    note = "Share of answers identical to the expected answer."

    def score(self, reference: str, answer: str) -> float | None:
        given = answer.strip()
        return float(any(text.strip() == given for text in accepted(reference)))


class QuasiExactMatch(PairMetric):
    """1 if both are equal once normalised by the QuAC protocol (fmeval's `quasi_exact_match_score`)."""

    name = "quasi_exact_match_score"
    title = "Quasi-exact match"
    note = "Share of answers identical to the expected answer apart from case, punctuation and articles."

    def score(self, reference: str, answer: str) -> float | None:
        given = normalised(answer)
        return float(any(normalised(text) == given for text in accepted(reference)))
