"""Which texts are most alike: by the site's encoder where there is one, else by words and characters."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluations.metrics.encoders import Encoder, Vectors, encoders
from lorakit.route.examples import Examples
from lorakit.route.grams import BUCKETS, vector_of, weighted, weights_of

BY_WORDS = "words and characters"
ENCODER = "default"
DECIMALS = 6
"""Of a similarity: the same texts are equally similar, whichever way it was computed."""

Places = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Nearest:
    """`places` (texts, n) of the most similar own texts, best first, and how similar the best is (texts,), 0 to 1."""

    places: Places
    similarities: list[float]


class Likeness(ABC):
    """Some texts to compare others with. `name` says by what they are compared."""

    name: str

    @abstractmethod
    def nearest(self, texts: Sequence[str], count: int) -> Nearest:
        """The min(count, number of own texts) own texts that are most similar to each text.

        Of texts that are equally similar, the one that comes first is better.
        """

    @abstractmethod
    def labels(self, texts: Sequence[str], own: Sequence[str]) -> list[str]:
        """The label whose own texts are, taken together, most like each text; `own` are the labels of the own texts."""


class ByWords(Likeness):
    """Cosine of hashed n-grams of words and characters, weighted by how rare they are among the own texts (tf-idf)."""

    name = BY_WORDS

    def __init__(self, own: Sequence[str]) -> None:
        self._own = own
        vectors = [vector_of(text) for text in own]
        self._weights = weights_of(vectors)
        # The own texts of each bucket, one bucket after the other.
        parts = [weighted(vector, self._weights) for vector in vectors]
        buckets = np.concatenate([np.zeros(0, np.int64), *(part[0] for part in parts)])
        order = np.argsort(buckets, kind="stable")
        self._places = np.repeat(np.arange(len(own)), [len(part[0]) for part in parts])[order]
        self._values = np.concatenate([np.zeros(0, np.float32), *(part[1] for part in parts)])[order]
        self._ends = np.searchsorted(buckets[order], np.arange(BUCKETS + 1))

    def nearest(self, texts: Sequence[str], count: int) -> Nearest:
        return _best((self._similarities(text) for text in texts), count, len(self._own))

    def labels(self, texts: Sequence[str], own: Sequence[str]) -> list[str]:
        by_label: dict[str, list[str]] = {}
        for text, label in zip(self._own, own, strict=True):
            by_label.setdefault(label, []).append(text)
        usual = Counter(own).most_common(1)[0][0]
        told = {label: found for label, found in by_label.items() if any(map(str.strip, found))}
        if not told:
            return [usual] * len(texts)
        learnt = Examples.learn(told)
        guesses = [learnt.guess(text) for text in texts]
        return [usual if guess is None else guess.target for guess in guesses]

    def _similarities(self, text: str) -> NDArray[np.float64]:
        found = np.zeros(len(self._own))
        for bucket, value in zip(*weighted(vector_of(text), self._weights), strict=True):
            part = slice(self._ends[bucket], self._ends[bucket + 1])
            # A text is in a bucket once.
            found[self._places[part]] += self._values[part] * value
        return found


class ByMeaning(Likeness):
    """Cosine of an encoder's vectors. Raises EncoderError."""

    def __init__(self, own: Sequence[str], encoder: Encoder) -> None:
        self.name = encoder.model
        self._encoder = encoder
        self._vectors = _unit(encoder.embed(own))

    def nearest(self, texts: Sequence[str], count: int) -> Nearest:
        given = self._given(texts)
        return _best((vector @ self._vectors.T for vector in given), count, len(self._vectors))

    def labels(self, texts: Sequence[str], own: Sequence[str]) -> list[str]:
        names = list(dict.fromkeys(own))
        members = np.array([[label == name for label in own] for name in names], dtype=np.float64)
        centroids = _unit(members @ self._vectors)
        best = (self._given(texts) @ centroids.T).argmax(axis=1)
        return [names[place] for place in best]

    def _given(self, texts: Sequence[str]) -> Vectors:
        return _unit(self._encoder.embed(texts))


def likeness_of(own: Sequence[str]) -> Likeness:
    """Of the site's default encoder, by words and characters without one. Raises EncoderError."""
    encoder = encoders.get(ENCODER)
    return ByWords(own) if encoder is None else ByMeaning(own, encoder)


def _best(similarities: Iterable[NDArray[np.float64]], count: int, own: int) -> Nearest:
    rows, highest = [], []
    for row in similarities:
        rows.append(np.argsort(-row, kind="stable")[:count])
        highest.append(round(min(max(float(row[rows[-1][0]]), 0.0), 1.0), DECIMALS))
    places = np.array(rows, dtype=np.int64).reshape(len(rows), min(count, own))
    return Nearest(places=places, similarities=highest)


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1.0)
