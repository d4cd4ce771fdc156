"""An encoder behind any address that speaks OpenAI's embeddings: `lorakit.encode`, vLLM, TEI, OpenAI."""

import base64
import binascii
from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar

import httpx
import numpy as np

from evaluations.metrics.encoders import Encoder, EncoderError, Vectors

TEXTS_AT_ONCE = 64
TOKENS_AT_ONCE = 16
"""Texts whose tokens' vectors come in one reply: a long one has half a megabyte."""

LONGEST = 8_000
"""Characters of a text that are sent; encoders read far fewer, and some refuse more."""

FORMAT = {"encoding_format": "base64"}


class OpenAIEncoder(Encoder):
    """`URL` ends before `/embeddings`. `TOKENS`: the server is `lorakit.encode`, which also gives tokens' vectors."""

    options: ClassVar[dict[str, Any]] = {"URL": "", "API_KEY": "", "MODEL": "", "TOKENS": False, "SECONDS": 120.0}

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        super().__init__(alias, options)
        for name in ("URL", "MODEL"):
            if not self.settings[name]:
                raise ValueError(f"ENCODERS[{alias!r}] names no {name}")
        self.model = self.settings["MODEL"]
        self.has_tokens = self.settings["TOKENS"]

    def embed(self, texts: Sequence[str]) -> Vectors:
        found = self._each(texts, TEXTS_AT_ONCE, {}, lambda entry: _vectors(entry["embedding"]))
        size = next((len(vector) for vector in found.values()), 0)
        if any(len(vector) != size for vector in found.values()):
            raise EncoderError("The encoder gave vectors of several lengths.")
        # An empty text has no direction; some servers refuse it.
        nothing = np.zeros(size)
        return np.array([found.get(_cut(text), nothing) for text in texts]).reshape(len(texts), size)

    def embed_tokens(self, texts: Sequence[str]) -> list[Vectors]:
        found = self._each(
            texts,
            TOKENS_AT_ONCE,
            {"token_vectors": True},
            lambda entry: _vectors(entry["token_embeddings"]).reshape(entry["tokens"], -1),
        )
        nothing = np.zeros((0, 1))
        return [found.get(_cut(text), nothing) for text in texts]

    def _each(self, texts: Sequence[str], at_once: int, more: dict[str, Any], read: Any) -> dict[str, Vectors]:
        """What is read of the entry of each different text that is not blank."""
        asked = list(dict.fromkeys(text for text in map(_cut, texts) if text.strip()))
        # A server pads the texts of a request to the longest of them, and computes the padding too.
        asked.sort(key=len)
        found: dict[str, Vectors] = {}
        for start in range(0, len(asked), at_once):
            part = asked[start : start + at_once]
            entries = self._post({"model": self.model, "input": part, **FORMAT, **more})
            try:
                by_place = {entry["index"]: read(entry) for entry in entries}
                found |= {text: by_place[place] for place, text in enumerate(part)}
            except (KeyError, TypeError, ValueError, AttributeError):
                raise EncoderError("The encoder’s reply is not one of OpenAI’s embeddings.") from None
        return found

    @cached_property
    def _client(self) -> httpx.Client:
        """Kept, because making one takes longer than a short text. Threads may share it."""
        headers = {"Authorization": f"Bearer {self.settings['API_KEY']}"} if self.settings["API_KEY"] else {}
        return httpx.Client(headers=headers, timeout=self.settings["SECONDS"])

    def _post(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        try:
            response = self._client.post(f"{self.settings['URL'].rstrip('/')}/embeddings", json=body)
        except httpx.TimeoutException:
            raise EncoderError("The encoder did not reply in time.") from None
        except httpx.HTTPError:
            raise EncoderError("The encoder cannot be reached.") from None
        if response.status_code != httpx.codes.OK:
            raise EncoderError(f"The encoder refused the texts with status {response.status_code}.")
        try:
            entries = response.json()["data"]
        except (ValueError, KeyError, TypeError):
            entries = None
        if not isinstance(entries, list):
            raise EncoderError("The encoder’s reply is not one of OpenAI’s embeddings.")
        return entries


def _cut(text: str) -> str:
    return text[:LONGEST]


def _vectors(value: Any) -> Vectors:
    """A list of numbers, or the base64 of float32 numbers. Raises ValueError or TypeError."""
    if isinstance(value, str):
        try:
            numbers = np.frombuffer(base64.b64decode(value, validate=True), "<f4").astype(np.float64)
        except binascii.Error as error:
            raise ValueError(str(error)) from None
    else:
        numbers = np.array(value, dtype=np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError("not all numbers are finite")
    return numbers
