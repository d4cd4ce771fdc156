"""Decodes a batch with changing rows: rows join between steps and leave when they finish.

Rows are padded on the left, keys in the cache include their positions, and each row has its own adapter
slot and sampling. Decoding is greedy by default.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal, TypeVar

import torch
from transformers import DynamicCache, PreTrainedModel

from lorakit.serve.pool import Gathered, SlotPool

Finish = Literal["stop", "length", "cancelled"]


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen; temperature 0 chooses the most likely one."""

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None


@dataclass
class Sequence:
    """One row: a prompt as token ids, and the answer so far.

    `tokens` ends with the end token if the model generated one. `on_token` gets every other token and may end the
    row by returning True. `busy_seconds` is the row's share of the model's time. `log_probability` is the sum of the
    tokens' natural-log probabilities under the model, whatever the sampling, if the batch counts them.
    """

    prompt: list[int]
    slot: int
    max_tokens: int
    sampling: Sampling = field(default_factory=Sampling)
    on_token: Callable[[int], bool] | None = None
    tokens: list[int] = field(default_factory=list)
    finish: Finish | None = None
    busy_seconds: float = 0.0
    log_probability: float = 0.0
    _generator: torch.Generator | None = None

    def choose(self, logits: torch.Tensor) -> int:
        """Sample from logits of shape [vocabulary]."""
        probabilities = torch.softmax(logits.float().cpu() / self.sampling.temperature, -1)
        ranked, order = probabilities.sort(descending=True)
        beyond = ranked.cumsum(-1) - ranked >= self.sampling.top_p
        beyond[0] = False
        ranked[beyond] = 0.0
        if self._generator is None:
            self._generator = torch.Generator()
            if self.sampling.seed is None:
                self._generator.seed()
            else:
                self._generator.manual_seed(self.sampling.seed)
        return int(order[torch.multinomial(ranked, 1, generator=self._generator)])


S = TypeVar("S", bound=Sequence)


def cached(cache: DynamicCache) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Keys and values of each layer, of shape [rows, heads, columns, head size]."""
    layers: list[Any] = cache.layers
    return [(layer.keys, layer.values) for layer in layers]


def merge_caches(first: DynamicCache, second: DynamicCache) -> DynamicCache:
    """A cache with the rows of both, the shorter one padded on the left."""
    gap = first.get_seq_length() - second.get_seq_length()
    merged = DynamicCache()
    for index, (one, two) in enumerate(zip(cached(first), cached(second), strict=True)):
        keys, values = (
            torch.cat([pad_left(a, -gap, dim=2), pad_left(b, gap, dim=2)]) for a, b in zip(one, two, strict=True)
        )
        merged.update(keys, values, index)
    return merged


def select_rows(cache: DynamicCache, rows: torch.Tensor, first_column: int) -> DynamicCache:
    """A cache with only `rows`, from column `first_column` on."""
    selected = DynamicCache()
    for index, (keys, values) in enumerate(cached(cache)):
        kept = rows.to(keys.device)
        selected.update(keys[kept, :, first_column:], values[kept, :, first_column:], index)
    return selected


def pad_left(tensor: torch.Tensor, count: int, dim: int) -> torch.Tensor:
    """Prepend `count` zeros along a dimension; a negative count adds nothing."""
    if count <= 0:
        return tensor
    shape = list(tensor.shape)
    shape[dim] = count
    return torch.cat([tensor.new_zeros(shape), tensor], dim)


class DecodeBatch:
    """The rows decoded together on one model."""

    def __init__(
        self,
        model: PreTrainedModel,
        pool: SlotPool,
        *,
        end_ids: frozenset[int],
        pad_id: int,
        log_probabilities: bool = False,
    ) -> None:
        self.model = model
        self.pool = pool
        self.end_ids = end_ids
        self.pad_id = pad_id
        self.log_probabilities = log_probabilities
        self.rows: list[Sequence] = []
        self._mask = torch.empty(0, 0, dtype=torch.long)
        self._positions = torch.empty(0, 1, dtype=torch.long)
        self._cache = DynamicCache()
        self._gathered: Gathered | None = None

    def __len__(self) -> int:
        """The number of unfinished rows."""
        return sum(row.finish is None for row in self.rows)

    @torch.inference_mode()
    def admit(self, rows: list[Sequence]) -> None:
        """Read the prompts of new rows together, choose their first tokens, and add them to the batch."""
        started = time.perf_counter()
        longest = max(len(row.prompt) for row in rows)
        ids = torch.tensor([[self.pad_id] * (longest - len(row.prompt)) + row.prompt for row in rows])
        mask = torch.tensor([[0] * (longest - len(row.prompt)) + [1] * len(row.prompt) for row in rows])
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        gathered = self.pool.gather([row.slot for row in rows])
        device = self.model.device
        with self.pool.applied(gathered):
            output = self.model(
                input_ids=ids.to(device),
                attention_mask=mask.to(device),
                position_ids=positions.to(device),
                past_key_values=DynamicCache(),
                use_cache=True,
                logits_to_keep=1,
            )
        self._take(rows, output.logits[:, -1], started)
        self._keep_unfinished()
        if self.rows:
            width = max(self._mask.shape[1], longest)
            self._mask = torch.cat(
                [
                    pad_left(self._mask, width - self._mask.shape[1], dim=1),
                    pad_left(mask, width - longest, dim=1),
                ]
            )
            self._positions = torch.cat([self._positions, positions[:, -1:]])
            self._cache = merge_caches(self._cache, output.past_key_values)
            self.rows = [*self.rows, *rows]
            self._gathered = self.pool.gather([row.slot for row in self.rows])
        else:
            self.rows, self._mask, self._positions = rows, mask, positions[:, -1:]
            self._cache, self._gathered = output.past_key_values, gathered

    @torch.inference_mode()
    def step(self) -> None:
        """Decode one more token for every unfinished row."""
        if len(self) * 4 <= len(self.rows) * 3:
            self._keep_unfinished()
        if not self.rows:
            return
        started = time.perf_counter()
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(self.rows), 1)], 1)
        self._positions = self._positions + 1
        device = self.model.device
        with self.pool.applied(self._gathered):
            output = self.model(
                input_ids=torch.tensor([[row.tokens[-1]] for row in self.rows], device=device),
                attention_mask=self._mask.to(device),
                position_ids=self._positions.to(device),
                past_key_values=self._cache,
                use_cache=True,
            )
        self._take(self.rows, output.logits[:, -1], started)

    def _take(self, rows: list[Sequence], logits: torch.Tensor, started: float) -> None:
        """Add the next token to each unfinished row, and finish the rows that it ends."""
        best = logits.argmax(-1).tolist()
        unfinished = [index for index, row in enumerate(rows) if row.finish is None]
        share = (time.perf_counter() - started) / max(len(unfinished), 1)
        for index in unfinished:
            row = rows[index]
            token = best[index] if row.sampling.temperature == 0 else row.choose(logits[index])
            row.tokens.append(token)
            row.busy_seconds += share
            if token in self.end_ids or (row.on_token is not None and row.on_token(token)):
                row.finish = "stop"
            elif len(row.tokens) >= row.max_tokens:
                row.finish = "length"
        if self.log_probabilities:
            self._count_log_probabilities([rows[index] for index in unfinished], logits[unfinished])

    def _count_log_probabilities(self, rows: list[Sequence], logits: torch.Tensor) -> None:
        """Add that of each row's newest token, chosen from logits of shape [rows, vocabulary]."""
        tokens = torch.tensor([[row.tokens[-1]] for row in rows], device=logits.device)
        wide = logits.float()
        chosen = wide.gather(1, tokens).squeeze(1) - wide.logsumexp(1)
        for row, value in zip(rows, chosen.tolist(), strict=True):
            row.log_probability += value

    def _keep_unfinished(self) -> None:
        """Drop finished rows, and the columns that no other row needs."""
        kept = [index for index, row in enumerate(self.rows) if row.finish is None]
        if len(kept) == len(self.rows):
            return
        self.rows = [self.rows[index] for index in kept]
        if not kept:
            return
        index = torch.tensor(kept)
        self._mask = self._mask[index]
        self._positions = self._positions[index]
        unused = int((self._mask.cumsum(1) == 0).all(0).sum())
        self._mask = self._mask[:, unused:]
        self._cache = select_rows(self._cache, index, unused)
        self._gathered = self.pool.gather([row.slot for row in self.rows])

    def clear(self) -> list[Sequence]:
        """Drop all rows and return the unfinished ones."""
        unfinished = [row for row in self.rows if row.finish is None]
        self.rows = []
        return unfinished


def decode_each(
    batch: DecodeBatch,
    rows: Iterable[S],
    *,
    width: int,
    after_step: Callable[[], None] | None = None,
) -> Iterator[S]:
    """Decode rows, at most `width` at a time, and yield each when it finishes. Rows are taken as there is room."""
    waiting, more = iter(rows), True
    running: list[S] = []
    while running or more:
        free = width - len(running)
        if more and free * 2 >= width:
            joining = list(islice(waiting, free))
            more = len(joining) == free
            if joining:
                batch.admit([*joining])
                running += joining
        batch.step()
        if after_step is not None:
            after_step()
        yield from (row for row in running if row.finish is not None)
        running = [row for row in running if row.finish is None]


def decode_all(batch: DecodeBatch, rows: Iterable[Sequence], *, width: int) -> None:
    """Decode rows until they finish, at most `width` at a time."""
    for _ in decode_each(batch, rows, width=width):
        pass
