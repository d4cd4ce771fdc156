"""Likeness in meaning with an encoder whose vectors are known, and none without an encoder."""

from collections.abc import Sequence

import numpy as np
import pytest
from pytest_django import Settings

from evaluations.metrics.base import Answers, RowMetric
from evaluations.metrics.encoders import Encoder, Vectors, encoders
from evaluations.metrics.similarity import BertScore, EmbeddingSimilarity

WORDS = {"yes": (1.0, 0.0), "no": (-2.0, 0.0), "maybe": (1.0, 1.0), "red": (0.0, 3.0)}


class Letters(Encoder):
    """A word's vector is in the table; a text's is the sum."""

    model = "letters 1"
    has_tokens = True

    def embed(self, texts: Sequence[str]) -> Vectors:
        return np.array([tokens.sum(axis=0) for tokens in self.embed_tokens(texts)])

    def embed_tokens(self, texts: Sequence[str]) -> list[Vectors]:
        return [np.array([WORDS[word] for word in text.split()], dtype=float).reshape(-1, 2) for text in texts]


class Whole(Letters):
    has_tokens = False


@pytest.fixture
def encoder(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "built", {})
    settings.ENCODERS = {"default": {"BACKEND": f"{__name__}.Letters", "OPTIONS": {}}}
    monkeypatch.setitem(encoders.built, "default", Letters("default", {}))


@pytest.mark.parametrize("metric", [EmbeddingSimilarity("x", {}), BertScore("x", {})])
def test_without_an_encoder_there_is_a_reason_and_no_number(metric: RowMetric) -> None:
    answers = Answers(["yes"], ["yes"])
    assert metric.unavailable(answers) == "No encoder is configured on this site."
    assert metric.scores(answers) == [None]
    assert metric.value(answers) is None
    assert metric.version == ""


@pytest.mark.usefixtures("encoder")
def test_similarity_is_the_cosine() -> None:
    metric = EmbeddingSimilarity("x", {})
    answers = Answers(["yes", "yes", "yes", "red", ""], ["yes yes", "no", "maybe", "yes", "yes"])
    assert metric.scores(answers) == [1, -1, pytest.approx(2**-0.5), 0, None]
    assert metric.version == "letters 1"
    assert metric.unavailable(answers) == ""


@pytest.mark.usefixtures("encoder")
def test_bertscore_matches_each_token_with_its_nearest() -> None:
    answers = Answers(["yes red", "yes", "yes", ""], ["maybe yes", "no", "", "yes"])
    # Precision (0.7071 + 1) / 2, recall (1 + 0.7071) / 2.
    assert BertScore("x", {}).scores(answers) == [pytest.approx((1 + 2**-0.5) / 2), 0, 0, None]


@pytest.mark.usefixtures("encoder")
def test_bertscore_needs_vectors_of_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(encoders.built, "default", Whole("default", {}))
    answers = Answers(["yes"], ["yes"])
    assert "no vectors of single tokens" in BertScore("x", {}).unavailable(answers)
    assert BertScore("x", {}).scores(answers) == [None]


def test_an_encoder_refuses_unknown_options() -> None:
    with pytest.raises(ValueError, match=r"ENCODERS\['x'\] has unknown options: URL"):
        Letters("x", {"URL": "http://encoder.example"})
