"""A classifier learnt from example prompts' vectors: the nearest centroid, by the angle between them.

The vectors are an encoder's, such as a sentence transformer's; this module only compares them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from lorakit.route.confidence import Similarities, fitted_temperature, guess_of
from lorakit.route.router import Guess

Vectors = NDArray[np.float64]
"""(texts, dimensions)."""


class _Stored(msgspec.Struct):
    model: str
    targets: list[str]
    centroids: bytes
    temperature: float


@dataclass(frozen=True, kw_only=True)
class Meanings:
    """What was learnt. `centroids` has shape (targets, dimensions); `model` made the vectors, and no other may ask."""

    model: str
    targets: tuple[str, ...]
    centroids: NDArray[np.float32]
    temperature: float

    @classmethod
    def learn(cls, model: str, prompts: Mapping[str, Vectors], held_out: Mapping[str, Vectors]) -> Self:
        """From vectors by target; `held_out` sets the temperature. Raises ValueError for a target without any."""
        targets = tuple(prompts)
        centroids = []
        for target in targets:
            mean = _of_length_1(prompts[target]).sum(axis=0)
            if not mean.any():
                raise ValueError(f"no prompts for {target}")
            centroids.append(mean / np.linalg.norm(mean))
        learnt = np.array(centroids, np.float32)
        tested = [
            (place, (learnt @ vector).astype(np.float32))
            for place, target in enumerate(targets)
            for vector in _of_length_1(held_out.get(target, np.zeros((0, 0))))
            if vector.any()
        ]
        return cls(model=model, targets=targets, centroids=learnt, temperature=fitted_temperature(tested))

    def guess(self, vector: NDArray[np.float64]) -> Guess | None:
        """None for the vector of an empty text, or one of another length than those that were learnt."""
        if vector.shape != self.centroids.shape[1:] or not vector.any():
            return None
        similarities: Similarities = (self.centroids @ (vector / np.linalg.norm(vector))).astype(np.float32)
        return guess_of(self.targets, similarities, self.temperature)

    def dump(self) -> bytes:
        """In half precision."""
        stored = _Stored(
            model=self.model,
            targets=list(self.targets),
            centroids=self.centroids.astype(np.float16).tobytes(),
            temperature=self.temperature,
        )
        return msgspec.msgpack.encode(stored)

    @classmethod
    def load(cls, data: bytes) -> Self:
        """What `dump` gave. Raises ValueError."""
        stored = msgspec.msgpack.decode(data, type=_Stored)
        centroids = np.frombuffer(stored.centroids, np.float16).astype(np.float32)
        return cls(
            model=stored.model,
            targets=tuple(stored.targets),
            centroids=centroids.reshape(len(stored.targets), -1),
            temperature=stored.temperature,
        )


def _of_length_1(vectors: Vectors) -> Vectors:
    """Those of empty texts stay zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths, lengths, 1)
