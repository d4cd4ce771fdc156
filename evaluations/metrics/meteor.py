"""METEOR by nltk, which is imported on first use because that takes seconds."""

from functools import cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

from evaluations.metrics.base import PairMetric


class Meteor(PairMetric):
    """METEOR (Banerjee and Lavie 2005): words in common by word, stem and synonym, less for words out of order.

    The option WORDNET names the folder that `python -m nltk.downloader -d FOLDER wordnet` fills; no package index has
    the data. Without it nothing matches by synonym, and the title says so. Words are split by nltk's
    `wordpunct_tokenize`, which needs no data. A reference without words has no score.
    """

    name = "meteor"
    title = "METEOR (no synonyms)"
    note = "Words in common, by word and stem. Without WordNet synonyms, so lower than published figures."
    options: ClassVar[dict[str, Any]] = {"WORDNET": ""}

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        super().__init__(alias, options)
        folder = self.settings["WORDNET"]
        self.version = f"nltk {version('nltk')}, {'with' if folder else 'without'} WordNet"
        if folder:
            corpora = Path(folder) / "corpora"
            if not any((corpora / name).exists() for name in ("wordnet", "wordnet.zip")):
                raise ValueError(f"METRICS[{alias!r}]: WORDNET must be a folder of nltk's data with corpora/wordnet")
            self.title = "METEOR"
            self.note = "Words in common, by word, stem and synonym; less for words in another order."

    def score(self, reference: str, answer: str) -> float | None:
        from nltk.tokenize import wordpunct_tokenize
        from nltk.translate.meteor_score import single_meteor_score

        words = wordpunct_tokenize(reference)
        if not words:
            return None
        given = wordpunct_tokenize(answer)
        return float(single_meteor_score(words, given, stemmer=self._stemmer, wordnet=self._synonyms))

    @cached_property
    def _stemmer(self) -> "_Stemmer":
        return _Stemmer()

    @cached_property
    def _synonyms(self) -> Any:
        return _WordNet(self.settings["WORDNET"]) if self.settings["WORDNET"] else _NoSynonyms()


class _Stemmer:
    """Porter's stemmer with a cache, because a customer's texts repeat words."""

    def __init__(self) -> None:
        from nltk.stem.porter import PorterStemmer

        self.stem = lru_cache(maxsize=50_000)(PorterStemmer().stem)


class _NoSynonyms:
    """In place of nltk's WordNet where there is none."""

    def synsets(self, word: str) -> tuple[()]:
        return ()


class _WordNet:
    """nltk's reader of WordNet's files, with a cache."""

    def __init__(self, folder: str) -> None:
        import nltk.data
        from nltk.corpus import wordnet

        # nltk reads nothing outside the folders it knows.
        nltk.data.path.append(folder)
        self.synsets = lru_cache(maxsize=50_000)(wordnet.synsets)
