"""BLEU and chrF by sacrebleu, whose figures are divided by 100: n-grams of words and of characters.

A row's score and the set's are computed from the same counts, which are most of the work. The set's score is not the
mean of the rows': it adds the counts up first, as published figures do.
"""

from abc import abstractmethod
from functools import cache, partial
from importlib.metadata import version
from typing import Any

from evaluations.metrics.base import Answers, RowMetric
from evaluations.metrics.characters import ngram_counts

Counts = list[list[int]]


def _bleu_counts(answers: Answers) -> Counts:
    return _sacrebleu_counts(_bleu(effective_order=True), answers)


def _chrf_counts(answers: Answers) -> Counts:
    counts = ngram_counts(list(zip(answers.references, answers.texts, strict=True)))
    return _sacrebleu_counts(_chrf(), answers) if counts is None else counts


def _sacrebleu_counts(metric: Any, answers: Answers) -> Counts:
    # Row by row, because sacrebleu keeps the n-grams of all references that it is given: a gigabyte for 10,000.
    pairs = zip(answers.references, answers.texts, strict=True)
    return [metric._extract_corpus_statistics([text], [[reference]])[0] for reference, text in pairs]


@cache
def _bleu(*, effective_order: bool) -> Any:
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
    from sacrebleu.tokenizers.tokenizer_re import TokenizerRegexp

    # sacrebleu's own instances would keep the last 65,536 texts of customers in memory.
    tokenizer: Any = Tokenizer13a()  # type: ignore[no-untyped-call]
    second: Any = TokenizerRegexp()  # type: ignore[no-untyped-call]
    tokenizer._post_tokenizer = partial(TokenizerRegexp.__call__.__wrapped__, second)
    # `force` only silences a warning about texts that look tokenised.
    metric = BLEU(effective_order=effective_order, force=True)
    metric.tokenizer = partial(Tokenizer13a.__call__.__wrapped__, tokenizer)
    return metric


@cache
def _chrf() -> Any:
    from sacrebleu.metrics.chrf import CHRF

    return CHRF()


class _NgramMetric(RowMetric):
    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        super().__init__(alias, options)
        self.version = f"sacrebleu {version('sacrebleu')}"

    def scores(self, answers: Answers) -> list[float | None]:
        # Rounding can give a little more than 1. An empty reference has nothing to be compared with.
        return [
            min(self.of_row(row) / 100, 1.0) if reference.strip() else None
            for reference, row in zip(answers.references, self.counts(answers), strict=True)
        ]

    def value(self, answers: Answers) -> float | None:
        if not any(reference.strip() for reference in answers.references):
            return None
        return min(self.of_set(self.counts(answers)) / 100, 1.0)

    @abstractmethod
    def counts(self, answers: Answers) -> Counts:
        """What scores are computed from, for each row."""

    @abstractmethod
    def of_row(self, counts: list[int]) -> float:
        """The score of a row's counts, 0 to 100."""

    @abstractmethod
    def of_set(self, counts: Counts) -> float:
        """The score of the counts of all rows, 0 to 100."""


class Bleu(_NgramMetric):
    """BLEU (Papineni 2002) with sacrebleu's defaults; a row's score leaves out orders that it is too short for."""

    name = "bleu"
    title = "BLEU"
    note = "Sequences of up to four words in common, with a penalty for answers that are too short."

    def counts(self, answers: Answers) -> Counts:
        return answers.by_row(_bleu_counts)

    def of_row(self, counts: list[int]) -> float:
        return float(_bleu(effective_order=True)._compute_score_from_stats(counts).score)

    def of_set(self, counts: Counts) -> float:
        return float(_bleu(effective_order=False)._aggregate_and_compute(counts).score)


class Chrf(_NgramMetric):
    """chrF2 (Popović 2015): F measure of sequences of up to six characters, recall counting twice as much."""

    name = "chrf"
    title = "chrF"
    note = "Sequences of up to six characters in common. Suits languages whose words change their endings."

    def counts(self, answers: Answers) -> Counts:
        return answers.by_row(_chrf_counts)

    def of_row(self, counts: list[int]) -> float:
        return float(_chrf()._compute_f_score(counts))

    def of_set(self, counts: Counts) -> float:
        return float(_chrf()._aggregate_and_compute(counts).score)
