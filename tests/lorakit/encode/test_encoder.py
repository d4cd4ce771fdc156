"""An encoder's vectors: of texts, of tokens, whatever else is in the batch."""

from pathlib import Path

import numpy as np
import pytest

from lorakit.encode.encoder import TextEncoder
from lorakit.errors import RunError
from tests.lorakit.encode.tiny_encoder import LONGEST, SIZE, write_encoder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> TextEncoder:
    return TextEncoder.load(write_encoder(tmp_path_factory.mktemp("encoder")))


def test_a_texts_vector_is_the_mean_of_its_tokens(encoder: TextEncoder) -> None:
    from transformers import AutoModel, AutoTokenizer

    folder = str(encoder._model.config.name_or_path)
    read = AutoTokenizer.from_pretrained(folder)(["the cat sat"], return_tensors="pt")
    hidden = AutoModel.from_pretrained(folder).eval()(**read).last_hidden_state[0].detach().numpy()
    [found] = encoder.encode(["the cat sat"])
    mean = hidden.mean(axis=0)
    np.testing.assert_allclose(found.vector, mean / np.linalg.norm(mean), atol=1e-5)
    np.testing.assert_allclose(found.tokens, hidden[1:-1], atol=1e-5)
    assert found.count == 5


def test_others_in_the_batch_change_nothing(encoder: TextEncoder) -> None:
    texts = ["the cat", "a dog ran on the mat", "", "cat"]
    together = encoder.encode(texts)
    for text, found in zip(texts, together, strict=True):
        [alone] = encoder.encode([text])
        np.testing.assert_allclose(found.vector, alone.vector, atol=1e-5)
        np.testing.assert_allclose(found.tokens, alone.tokens, atol=1e-5)
        assert found.tokens.shape == (found.count - 2, SIZE)
    assert encoder.encode([]) == []


def test_what_is_too_long_is_left_out(encoder: TextEncoder) -> None:
    start, longer = encoder.encode(["cat " * (LONGEST - 2), "cat " * 100])
    assert longer.count == LONGEST
    np.testing.assert_allclose(start.vector, longer.vector, atol=1e-5)


def test_a_folder_without_an_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="There is no encoder"):
        TextEncoder.load(tmp_path)


def test_an_encoder_that_pools_otherwise_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="mean of its tokens"):
        TextEncoder.load(write_encoder(tmp_path, pooling="pooling_mode_cls_token"))
