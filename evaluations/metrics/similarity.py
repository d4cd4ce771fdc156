"""Likeness in meaning, by the vectors of an encoder that the operator has configured."""

from typing import Any, ClassVar

import numpy as np

from evaluations.metrics.base import Answers, RowMetric
from evaluations.metrics.encoders import Encoder, Vectors, encoders


class _EncoderMetric(RowMetric):
    lowest = -1.0
    options: ClassVar[dict[str, Any]] = {"ENCODER": "default"}

    @property
    def encoder(self) -> Encoder | None:
        """The configured encoder, None if there is none of that alias."""
        alias = self.settings["ENCODER"]
        return encoders.get(alias)

    @property
    def version(self) -> str:  # type: ignore[override]
        return self.encoder.model if self.encoder else ""

    def unavailable(self, answers: Answers) -> str:
        if self.encoder is None:
            return "No encoder is configured on this site."
        return super().unavailable(answers)


class EmbeddingSimilarity(_EncoderMetric):
    """Cosine of the two texts' vectors; None if a text has no direction."""

    name = "embedding_similarity"
    title = "Embedding similarity"
    note = "Likeness in meaning, from -1 to 1, as an encoder model sees both texts as a whole."

    def scores(self, answers: Answers) -> list[float | None]:
        if self.encoder is None or not len(answers):
            return [None] * len(answers)
        expected, given = self.encoder.embed(answers.references), self.encoder.embed(answers.texts)
        lengths = np.linalg.norm(expected, axis=1) * np.linalg.norm(given, axis=1)
        products = np.einsum("ij,ij->i", expected, given)
        return [
            float(np.clip(product / length, -1, 1)) if length else None
            for product, length in zip(products, lengths, strict=True)
        ]


class BertScore(_EncoderMetric):
    """F measure of greedy matches of the tokens' vectors (Zhang 2020), without idf weights or a baseline."""

    name = "bertscore"
    title = "BERTScore"
    note = "Likeness in meaning, word by word, as an encoder model sees them in their context."

    def unavailable(self, answers: Answers) -> str:
        reason = super().unavailable(answers)
        if not reason and self.encoder and not self.encoder.has_tokens:
            return "The configured encoder gives no vectors of single tokens."
        return reason

    def scores(self, answers: Answers) -> list[float | None]:
        if self.encoder is None or not self.encoder.has_tokens:
            return [None] * len(answers)
        expected, given = self.encoder.embed_tokens(answers.references), self.encoder.embed_tokens(answers.texts)
        return [_bertscore(*pair) for pair in zip(expected, given, strict=True)]


def _bertscore(expected: Vectors, given: Vectors) -> float | None:
    if not len(expected):
        return None
    if not len(given):
        return 0.0
    cosines = _unit(given) @ _unit(expected).T
    precision, recall = cosines.max(axis=1).mean(), cosines.max(axis=0).mean()
    return float(2 * precision * recall / (precision + recall)) if precision + recall > 0 else 0.0


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1.0)
