"""Metrics that compare words: 0 means nothing in common, 1 means identical.

The libraries are imported on first use, since nltk alone takes seconds.
"""

from collections.abc import Sequence
from functools import cache, lru_cache

from evaluations.metrics.base import Metric


class ExactMatch(Metric):
    """1 if the answer equals the reference, ignoring white space at either end (fmeval's `exact_match_score`)."""

    title = "Exact match"
    note = "Share of answers identical to the expected answer."

    def score(self, reference: str, answer: str) -> float | None:
        return float(reference.strip() == answer.strip())


class RougeL(Metric):
    """F measure of the longest common subsequence of stemmed words (Lin 2004), as the `rouge-score` library gives it.

    Its words are runs of a-z and 0-9, so a reference without any has no score. The library itself takes time that
    grows with the product of both lengths, minutes for a thousand pages, so only its tokenizer is used.
    """

    title = "ROUGE-L"
    note = "Words in common, in order (stemmed F-measure)."

    def score(self, reference: str, answer: str) -> float | None:
        from rouge_score.tokenize import tokenize

        expected, given = tokenize(reference, porter_stemmer()), tokenize(answer, porter_stemmer())
        if not expected:
            return None
        # 2pr / (p + r) with p = common / given and r = common / expected.
        return 2 * common_subsequence(expected, given) / (len(expected) + len(given))


def common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common subsequence, a row of the table at once in the bits of an integer (Hyyrö 2004)."""
    places: dict[str, int] = {}
    for place, word in enumerate(second):
        places[word] = places.get(word, 0) | 1 << place
    everywhere = row = (1 << len(second)) - 1
    for word in first:
        matches = row & places.get(word, 0)
        row = ((row + matches) | (row - matches)) & everywhere
    return len(second) - row.bit_count()


class Stemmer:
    """Porter's stemmer with a cache, because a customer's texts repeat words."""

    def __init__(self) -> None:
        from nltk.stem.porter import PorterStemmer

        self.stem = lru_cache(maxsize=50_000)(PorterStemmer().stem)


@cache
def porter_stemmer() -> Stemmer:
    """The process's one stemmer."""
    return Stemmer()


class _NoSynonyms:
    """In place of nltk's WordNet, whose data no package registry has."""

    def synsets(self, word: str) -> tuple[()]:
        return ()


class Meteor(Metric):
    """METEOR (Banerjee and Lavie 2005) by nltk, matching equal words and equal stems but no synonyms."""

    title = "METEOR (no synonyms)"
    note = "Words in common, by word and stem. Without WordNet synonyms, so lower than published figures."

    def score(self, reference: str, answer: str) -> float | None:
        from nltk.tokenize import wordpunct_tokenize
        from nltk.translate.meteor_score import single_meteor_score

        words = wordpunct_tokenize(reference)
        if not words:
            return None
        given = wordpunct_tokenize(answer)
        return float(single_meteor_score(words, given, stemmer=porter_stemmer(), wordnet=_NoSynonyms()))
