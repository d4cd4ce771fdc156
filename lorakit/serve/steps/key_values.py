"""Keys and values of the tokens that the model has read, for every row in progress.

Rows of about the same length lie in one block, so that a step reads few columns that nobody needs. Within a block,
every row begins at column 0, and no row is empty: when one leaves, the last takes its place.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from transformers import PreTrainedModel

from lorakit.serve.steps.sequences import Sequence

SMALLEST = 128
"""Columns of the smallest block; each next one has twice as many."""


AHEAD = 64
"""Tokens of its answer that a row is given room for at once."""


@dataclass(frozen=True)
class Shape:
    """What the cache of one token has: keys and values of shape [heads, size] in each layer."""

    layers: int
    heads: int
    size: int
    dtype: torch.dtype
    device: torch.device

    @property
    def bytes_per_token(self) -> int:
        """Bytes of memory for one token."""
        return 2 * self.layers * self.heads * self.size * self.dtype.itemsize


def shape_of(model: PreTrainedModel) -> Shape:
    """The cache's shape for a model."""
    config = model.config.get_text_config()
    heads = config.num_attention_heads
    return Shape(
        layers=config.num_hidden_layers,
        heads=getattr(config, "num_key_value_heads", None) or heads,
        size=getattr(config, "head_dim", None) or config.hidden_size // heads,
        dtype=model.dtype,
        device=model.device,
    )


class Block:
    """Rows of at most `capacity` tokens.

    `keys` and `values` are [layers, rows, heads, capacity, size]; of their rows, those of `rows` are in use.
    """

    def __init__(self, shape: Shape, capacity: int) -> None:
        self.capacity = capacity
        self.rows: list[Sequence] = []
        self._shape = shape
        self._set_room(0)

    def _set_room(self, rows: int) -> None:
        shape = self._shape
        size = (shape.layers, rows, shape.heads, self.capacity, shape.size)
        # Zeros: what is masked still has to be finite.
        self.keys = torch.zeros(size, dtype=shape.dtype, device=shape.device)
        self.values = torch.zeros(size, dtype=shape.dtype, device=shape.device)

    def add(self, row: Sequence) -> None:
        """Take a row, with what it has in another block."""
        used = len(self.rows)
        if used == self.keys.shape[1]:
            keys, values = self.keys, self.values
            self._set_room(max(1, 2 * used))
            self.keys[:, :used], self.values[:, :used] = keys, values
        former, place = row.block, row.place
        if former is not None:
            self.keys[:, used, :, : row.computed] = former.keys[:, place, :, : row.computed]
            self.values[:, used, :, : row.computed] = former.values[:, place, :, : row.computed]
            former.remove(row)
        self.rows.append(row)
        row.block, row.place = self, used

    def remove(self, row: Sequence) -> None:
        """Forget a row."""
        last = self.rows.pop()
        if last is not row:
            end = len(self.rows)
            self.keys[:, row.place, :, : last.computed] = self.keys[:, end, :, : last.computed]
            self.values[:, row.place, :, : last.computed] = self.values[:, end, :, : last.computed]
            self.rows[row.place] = last
            last.place = row.place
        row.block = None
        if not self.rows:
            self._set_room(0)


class KeyValues:
    """The blocks of a model whose context is `context` tokens. `limit` is how many tokens they are meant to hold."""

    def __init__(self, shape: Shape, context: int) -> None:
        self.shape = shape
        self._context = context
        self.limit: float = math.inf
        self._blocks: dict[int, Block] = {}

    @torch.inference_mode()
    def make_room(self, row: Sequence) -> None:
        """Give a row room for what it has to read next; it keeps what it has."""
        if row.block is not None and row.block.capacity >= row.length:
            return
        capacity = self.capacity_for(self.wanted(row))
        block = self._blocks.get(capacity)
        if block is None:
            block = self._blocks[capacity] = Block(self.shape, capacity)
        block.add(row)

    def capacity_for(self, length: int) -> int:
        """The columns of the block for a row of `length` tokens."""
        capacity = SMALLEST
        while capacity < length:
            capacity *= 2
        return max(length, min(capacity, self._context))

    @torch.inference_mode()
    def follow(self, row: Sequence, leader: Sequence) -> None:
        """Give a row what another has read of their shared beginning, unless that takes too much memory."""
        held = sum(len(block.rows) * block.capacity for block in self._blocks.values())
        if held + self.room_for(row) > self.limit:
            return
        self.make_room(row)
        ours, theirs, end = row.in_block, leader.in_block, leader.shared
        ours.keys[:, row.place, :, :end] = theirs.keys[:, leader.place, :, :end]
        ours.values[:, row.place, :, :end] = theirs.values[:, leader.place, :, :end]
        row.computed = end

    def rows(self) -> Iterator[Sequence]:
        """All rows that have something here."""
        for block in self._blocks.values():
            yield from block.rows

    def room_for(self, row: Sequence) -> int:
        """Tokens of room that a row has, or takes when it begins or grows."""
        have = 0 if row.block is None else row.block.capacity
        return have if have >= row.length else self.capacity_for(self.wanted(row))

    def wanted(self, row: Sequence) -> int:
        """Tokens that a row is given room for: what it has to read, and the beginning of its answer."""
        return min(row.length + min(row.max_tokens, AHEAD), self._context)

    @torch.inference_mode()
    def drop(self, row: Sequence) -> None:
        """Forget what was read of a row: to go on, it has to be read again."""
        if row.block is not None:
            row.block.remove(row)
        row.computed = 0

    @property
    def size(self) -> int:
        """Bytes that the blocks take."""
        return sum(block.keys.nbytes + block.values.nbytes for block in self._blocks.values())
