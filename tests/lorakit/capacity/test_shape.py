"""Figures of a base that cannot be are not read."""

import json
from pathlib import Path
from typing import Any

import pytest

from lorakit.capacity.shape import read_shape, shape_of
from tests.lorakit.capacity.shapes import LLAMA_2_7B, LLAMA_2_13B, LLAMA_3_8B, shape


@pytest.mark.parametrize(
    ("config", "parameters"),
    [(LLAMA_2_7B, 6_738_415_616), (LLAMA_2_13B, 13_015_864_320), (LLAMA_3_8B, 8_030_261_248)],
    ids=["7B", "13B", "8B"],
)
def test_known_bases_have_their_published_parameters(config: dict[str, Any], parameters: int) -> None:
    assert shape(config).parameters == parameters


def test_a_token_of_the_8b_leaves_128_kib_in_the_cache() -> None:
    assert shape(LLAMA_3_8B).cache_numbers * 2 == 128 * 1024


@pytest.mark.parametrize(
    "wrong",
    [
        {"model_type": "bert"},
        {"hidden_size": None},
        {"hidden_size": "4096"},
        {"num_hidden_layers": -1},
        {"num_attention_heads": True},
        {"num_key_value_heads": 5},
        {"hidden_size": 16},
    ],
)
def test_a_config_that_cannot_be_has_no_shape(wrong: dict[str, Any]) -> None:
    assert shape_of(LLAMA_2_7B | wrong) is None


def test_a_base_that_cannot_be_read_has_no_shape(tmp_path: Path) -> None:
    assert read_shape(tmp_path) is None
    (tmp_path / "config.json").write_text("[]")
    assert read_shape(tmp_path) is None
    (tmp_path / "config.json").write_text(json.dumps(LLAMA_3_8B))
    assert read_shape(tmp_path) == shape(LLAMA_3_8B)
