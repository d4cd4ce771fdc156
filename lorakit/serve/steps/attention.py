"""Attention over packed sequences, as an attention implementation of transformers.

The model reads the tokens of all rows one after another, as one sequence without padding. Here each row sees its own
tokens only: those of a row that reads its prompt by themselves, those of rows that say one token each block by block.
"""

from collections.abc import Sequence as Many
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from lorakit.errors import RunError
from lorakit.serve.steps.key_values import Block
from lorakit.serve.steps.sequences import Sequence

PACKED = "packed"


@dataclass
class Reading:
    """A row that reads the tokens `start` to `end` of the pack."""

    row: Sequence
    start: int
    end: int

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **options: Any
    ) -> torch.Tensor:
        """Attention of shape [heads, tokens, size]; query, key and value are the pack's, [tokens, heads, size]."""
        block, place, before = self.row.in_block, self.row.place, self.row.computed
        after = before + self.end - self.start
        block.keys[layer, place, :, before:after] = key[self.start : self.end].transpose(0, 1)
        block.values[layer, place, :, before:after] = value[self.start : self.end].transpose(0, 1)
        window = options.pop("window")
        mask = None
        if before or (window is not None and window < after):
            columns = torch.arange(after, device=query.device)
            places = torch.arange(before, after, device=query.device).unsqueeze(1)
            mask = columns <= places
            if window is not None:
                mask &= columns > places - window
        return scaled_dot_product_attention(
            query[self.start : self.end].transpose(0, 1).unsqueeze(0),
            block.keys[layer, place, :, :after].unsqueeze(0),
            block.values[layer, place, :, :after].unsqueeze(0),
            attn_mask=mask,
            is_causal=mask is None and self.end - self.start > 1,
            **options,
        )[0]


class Saying:
    """Rows of one block that read one token each, at these places of the pack."""

    def __init__(self, block: Block, rows: Many[Sequence], places: Many[int]) -> None:
        device = block.keys.device
        self._block = block
        self.tokens = torch.tensor(places, device=device)
        self._rows = torch.tensor([row.place for row in rows], device=device)
        self._columns = torch.tensor([row.computed for row in rows], device=device)
        # Rows of the block that take no part attend too, with some token's query, and nobody reads the result.
        everyone = [0] * len(block.rows)
        for row, place in zip(rows, places, strict=True):
            everyone[row.place] = place
        self._everyone = torch.tensor(everyone, device=device)
        self._length = max(row.computed for row in rows) + 1
        self._masks: dict[int | None, torch.Tensor | None] = {}

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **options: Any
    ) -> torch.Tensor:
        """Attention of shape [rows, heads, size]; query, key and value are the pack's, [tokens, heads, size]."""
        keys, values, used = self._block.keys[layer], self._block.values[layer], len(self._everyone)
        keys[self._rows, :, self._columns] = key[self.tokens]
        values[self._rows, :, self._columns] = value[self.tokens]
        attended = scaled_dot_product_attention(
            query[self._everyone].unsqueeze(2),
            keys[:used, :, : self._length],
            values[:used, :, : self._length],
            attn_mask=self._mask(options.pop("window")),
            **options,
        )
        return attended[self._rows, :, 0]

    def _mask(self, window: int | None) -> torch.Tensor | None:
        """Of shape [rows of the block, 1, 1, columns]; None where every row sees every column."""
        if window not in self._masks:
            ends = self._columns.new_zeros(len(self._everyone))
            ends[self._rows] = self._columns
            columns = torch.arange(self._length, device=ends.device)
            mask = columns <= ends.unsqueeze(1)
            if window is not None:
                mask &= columns > ends.unsqueeze(1) - window
            self._masks[window] = None if bool(mask.all()) else mask[:, None, None]
        return self._masks[window]


@dataclass
class Pack:
    """What the tokens of a step belong to."""

    saying: list[Saying] = field(default_factory=list)
    reading: list[Reading] = field(default_factory=list)


def packed_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    pack: Pack | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of shape [1, tokens, heads, size] for query, key and value of shape [1, heads, tokens, size].

    Without a pack, the tokens are one sequence.
    """
    if pack is None:
        attended, _ = sdpa_attention_forward(module, query, key, value, attention_mask, **options)
        return attended, None
    query, key, value = (tensor[0].transpose(0, 1) for tensor in (query, key, value))
    layer: int = module.layer_idx  # type: ignore[assignment]
    passed = {
        "scale": options.get("scaling"),
        "window": options.get("sliding_window"),
        "enable_gqa": query.shape[1] != key.shape[1],
    }
    result = query.new_empty(query.shape[0], query.shape[1], value.shape[2])
    for part in pack.saying:
        result[part.tokens] = part.attend(layer, query, key, value, **passed)
    for one in pack.reading:
        result[one.start : one.end] = one.attend(layer, query, key, value, **passed).transpose(0, 1)
    return result.unsqueeze(0), None


AttentionInterface.register(PACKED, packed_attention)


def use_packed_attention(model: PreTrainedModel) -> None:
    """Make a model read packs. Raises RunError for one whose attention is not of this kind."""
    config = model.config.get_text_config()
    model.set_attn_implementation(PACKED)
    soft = getattr(config, "attn_logit_softcapping", None)
    if model.config._attn_implementation != PACKED or soft or getattr(config, "num_hidden_layers", None) is None:
        text = f"The engine can't serve models of the type {config.model_type}, whose attention is of another kind."
        raise RunError("base:unsupported", text)
