"""A classifier learnt from example prompts: the nearest centroid over hashed n-grams of words and characters.

Each text is a vector of counts' square roots, weighted by how rare an n-gram is among the examples (tf-idf). A target's
centroid is the mean of its examples.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import msgspec
import numpy as np

from lorakit.route.confidence import USUAL_TEMPERATURE, Similarities, fitted_temperature, guess_of
from lorakit.route.grams import BUCKETS, Numbers, vector_of, weighted, weights_of
from lorakit.route.router import Guess


class _Stored(msgspec.Struct):
    targets: list[str]
    weights: bytes
    centroids: bytes
    temperature: float


@dataclass(frozen=True, kw_only=True)
class Examples:
    """What was learnt. `weights` has shape (BUCKETS,), `centroids` (BUCKETS, number of targets)."""

    targets: tuple[str, ...]
    weights: Numbers
    centroids: Numbers
    temperature: float = USUAL_TEMPERATURE

    @classmethod
    def learn(cls, prompts: Mapping[str, Sequence[str]], held_out: Mapping[str, Sequence[str]] | None = None) -> Self:
        """From prompts by target; `held_out` sets the temperature. Raises ValueError for a target without prompts."""
        targets = tuple(prompts)
        if empty := [target for target in targets if not any(map(str.strip, prompts[target]))]:
            raise ValueError(f"no prompts for {', '.join(empty)}")
        vectors = [(place, vector_of(text)) for place, target in enumerate(targets) for text in prompts[target]]
        weights = weights_of([vector for _, vector in vectors])
        sums = np.zeros((BUCKETS, len(targets)), np.float32)
        for place, vector in vectors:
            buckets, values = weighted(vector, weights)
            sums[buckets, place] += values
        norms = np.linalg.norm(sums, axis=0)
        centroids = (sums / np.where(norms, norms, 1)).astype(np.float32)
        learnt = cls(targets=targets, weights=weights, centroids=centroids)
        return learnt._calibrated(held_out or {})

    def guess(self, text: str) -> Guess | None:
        """None where nothing of the text occurs in any example."""
        similarities = self._similarities(text)
        if similarities is None:
            return None
        return guess_of(self.targets, similarities, self.temperature)

    def dump(self) -> bytes:
        """In half precision."""
        stored = _Stored(
            targets=list(self.targets),
            weights=self.weights.astype(np.float16).tobytes(),
            centroids=self.centroids.astype(np.float16).tobytes(),
            temperature=self.temperature,
        )
        return msgspec.msgpack.encode(stored)

    @classmethod
    def load(cls, data: bytes) -> Self:
        """What `dump` gave. Raises ValueError."""
        stored = msgspec.msgpack.decode(data, type=_Stored)
        # As it is, without a copy: a gateway holds many of these.
        centroids = np.frombuffer(stored.centroids, np.float16)
        return cls(
            targets=tuple(stored.targets),
            weights=np.frombuffer(stored.weights, np.float16),
            centroids=centroids.reshape(BUCKETS, len(stored.targets)),
            temperature=stored.temperature,
        )

    def _similarities(self, text: str) -> Similarities | None:
        buckets, values = weighted(vector_of(text), self.weights)
        similarities: Similarities = values @ self.centroids[buckets]
        return similarities if similarities.any() else None

    def _calibrated(self, held_out: Mapping[str, Sequence[str]]) -> Self:
        tested = [
            (place, similarities)
            for place, target in enumerate(self.targets)
            for text in held_out.get(target, ())
            if (similarities := self._similarities(text)) is not None
        ]
        return replace(self, temperature=fitted_temperature(tested))
