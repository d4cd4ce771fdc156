"""Encoders by alias: models that turn texts into vectors. `encoders["default"]`.

A site without one has ENCODERS = {}, and what needs one is not available.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from jobs.aliases import Aliases, merge_options

Vectors = NDArray[np.float64]


class EncoderError(Exception):
    """The encoder gave no vectors. `text` says why, for the operator; a later try may succeed."""

    def __init__(self, text: str, *, after: float = 30.0) -> None:
        super().__init__(text)
        self.text = text
        self.after = after


class Encoder(ABC):
    """One encoder. `model` names it and its version; `has_tokens` says whether it gives a vector for each token."""

    model: str
    has_tokens: bool = False
    options: ClassVar[dict[str, Any]] = {}

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        self.alias = alias
        self.settings = merge_options("ENCODERS", alias, self.options, options)

    @abstractmethod
    def embed(self, texts: Sequence[str]) -> Vectors:
        """(texts, dimensions): a vector for each text, of any length. Raises EncoderError."""

    def embed_tokens(self, texts: Sequence[str]) -> list[Vectors]:
        """(tokens, dimensions) for each text, without the tokens that mark its ends. Raises EncoderError."""
        raise NotImplementedError


encoders: Aliases[Encoder] = Aliases("ENCODERS")
