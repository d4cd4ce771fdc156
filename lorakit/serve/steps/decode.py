"""Decodes rows that come and go: in a step, some read a stretch of their prompt and the others say a token each.

All tokens of a step go through the model together, one after another and without padding; each row has its own
adapter slot and sampling.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Sequence as Many
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic

import torch
from transformers import PreTrainedModel

from lorakit.base import context_length
from lorakit.serve.adapters.pool import SlotPool
from lorakit.serve.steps.attention import Pack, Reading, Saying, use_packed_attention
from lorakit.serve.steps.choosing import choose
from lorakit.serve.steps.key_values import Block, KeyValues, shape_of
from lorakit.serve.steps.sequences import Chosen, S, Sequence
from lorakit.serve.steps.share import Turn, divide

READ_AT_ONCE = 512
"""Tokens of prompts that are read in one step where nobody waits for it."""


@dataclass(frozen=True)
class Said(Generic[S]):
    """A token of a pack behind which the model's word is wanted: the next token, or the odds of those `expected`."""

    row: S
    place: int
    expected: list[int] = field(default_factory=list)


class DecodeBatch:
    """The rows decoded together on one model."""

    def __init__(
        self,
        model: PreTrainedModel,
        pool: SlotPool,
        *,
        end_ids: frozenset[int],
        log_probabilities: bool = False,
    ) -> None:
        use_packed_attention(model)
        self.model = model
        self.pool = pool
        self.end_ids = end_ids
        self.log_probabilities = log_probabilities
        self.context = context_length(model)
        self.cache = KeyValues(shape_of(model), self.context)

    @torch.inference_mode()
    def step(self, turns: Many[Turn[S]]) -> None:
        """Let the rows read what their turns say, and choose the next token of each that has read all it has."""
        started = time.perf_counter()
        saying = [turn.row for turn in turns if turn.row.is_decoding]
        reading = [turn for turn in turns if not turn.row.is_decoding]
        order, adapters = self.pool.lay_out(
            [row.slot for row in saying], [(turn.row.slot, turn.count) for turn in reading]
        )
        saying = [saying[index] for index in order]
        pack, said = self._pack(saying, reading)
        counted = [(row, 1) for row in saying] + [(turn.row, turn.count) for turn in reading]
        ids = [token for row, count in counted for token in row.unread(count)]
        places = [place for row, count in counted for place in range(row.computed, row.computed + count)]
        device = self.model.device
        with self.pool.applied(adapters):
            output = self.model(
                input_ids=torch.tensor([ids], device=device),
                position_ids=torch.tensor([places], device=device),
                use_cache=False,
                logits_to_keep=torch.tensor([one.place for one in said], dtype=torch.long, device=device),
                pack=pack,
            )
        for row, count in counted:
            row.computed += count
            if row.followers and row.computed >= row.shared:
                self._lead(row)
        self._take(said, output.logits[0])
        share = (time.perf_counter() - started) / sum(count for _, count in counted)
        for row, count in counted:
            row.busy_seconds += share * count
            if row.finish is not None:
                self.cache.drop(row)

    def _lead(self, row: Sequence) -> None:
        for follower in row.followers:
            follower.follows = False
            if follower.finish is None:
                self.cache.follow(follower, row)
        row.followers = []

    def _pack(self, saying: list[S], reading: list[Turn[S]]) -> tuple[Pack, list[Said[S]]]:
        """The pack, and the tokens of it behind which the model's word is wanted."""
        # A row that grows leaves its block, where another takes its place: so all grow before places are noted.
        for row in [*saying, *(turn.row for turn in reading)]:
            self.cache.make_room(row)
        blocks: dict[Block, list[int]] = {}
        for place, row in enumerate(saying):
            blocks.setdefault(row.in_block, []).append(place)
        pack = Pack([Saying(block, [saying[place] for place in places], places) for block, places in blocks.items()])
        said = [Said(row, place) for place, row in enumerate(saying)]
        start = len(saying)
        for turn in reading:
            row, before = turn.row, turn.row.computed
            pack.reading.append(Reading(row, start, start + turn.count))
            if row.scored_from is not None:
                first = max(before, row.scored_from - 1)
                for place in range(first, before + turn.count):
                    expected = row.prompt[place + 1 : place + 2] or sorted(self.end_ids)
                    said.append(Said(row, start + place - before, expected))
            elif turn.count == row.pending:
                said.append(Said(row, start + turn.count - 1))
            start += turn.count
        return pack, said

    def _take(self, said: list[Said[S]], logits: torch.Tensor) -> None:
        """Take what the model says, as logits of shape [said, vocabulary]: score it, or add a token to each row."""
        scored = [index for index, one in enumerate(said) if one.expected]
        if scored:
            wide = torch.log_softmax(logits[scored].float(), -1)
            for index, values in zip(scored, wide, strict=True):
                one = said[index]
                one.row.log_probability += float(values[one.expected].logsumexp(0))
                if not one.row.pending:
                    one.row.finish = "stop"
            said = [one for one in said if not one.expected]
            logits = logits[[index for index in range(len(logits)) if index not in {*scored}]]
        if said:
            self._say([one.row for one in said], logits)

    def _say(self, rows: list[S], logits: torch.Tensor) -> None:
        """Add the next token to each row, for logits of shape [rows, vocabulary], and finish those that it ends."""
        tokens = choose(rows, logits)
        if self.log_probabilities:
            count_log_probabilities(rows, tokens, logits)
        for index, (row, token) in enumerate(zip(rows, tokens, strict=True)):
            row.tokens.append(token)
            is_end = token in self.end_ids
            if row.alternatives is not None and not is_end:
                row.chosen.append(described(token, logits[index], row.alternatives))
            is_complete = row.guide is not None and row.guide.take(token)
            if row.guide is not None and row.guide.has_failed:
                # Its own request fails, and no other in the step.
                row.finish = "error"
            elif is_end or (row.on_token is not None and row.on_token(token)) or is_complete:
                row.finish = "stop"
            elif len(row.tokens) >= row.max_tokens:
                row.finish = "length"


def count_log_probabilities(rows: Many[Sequence], tokens: list[int], logits: torch.Tensor) -> None:
    """Add that of each row's next token, for logits of shape [rows, vocabulary]."""
    wide = logits.float()
    chosen = wide.gather(1, torch.tensor(tokens, device=logits.device).unsqueeze(1)).squeeze(1) - wide.logsumexp(1)
    for row, value in zip(rows, chosen.tolist(), strict=True):
        row.log_probability += value


def described(token: int, logits: torch.Tensor, alternatives: int) -> Chosen:
    """A token with its log-probability and that of others, for logits of shape [vocabulary]."""
    values = torch.log_softmax(logits.float(), -1)
    top = values.topk(alternatives)
    others = tuple(zip(top.indices.tolist(), top.values.tolist(), strict=True))
    return Chosen(token, float(values[token]), others)


def decode_each(
    batch: DecodeBatch,
    rows: Iterable[S],
    *,
    width: int,
    after_step: Callable[[list[S]], None] | None = None,
) -> Iterator[S]:
    """Decode rows, at most `width` at a time, and yield each when it finishes. Rows are taken as there is room.

    After each step, `after_step` gets the rows in progress.
    """
    waiting, more = iter(rows), True
    running: list[S] = []
    while running or more:
        if more:
            joining = list(islice(waiting, width - len(running)))
            more = len(joining) == width - len(running)
            running += joining
        if not running:
            return
        batch.step(divide([("", row) for row in running], READ_AT_ONCE))
        if after_step is not None:
            after_step(running)
        yield from (row for row in running if row.finish is not None)
        running = [row for row in running if row.finish is None]


def decode_all(batch: DecodeBatch, rows: Iterable[Sequence], *, width: int) -> None:
    """Decode rows until they finish, at most `width` at a time."""
    for _ in decode_each(batch, rows, width=width):
        pass
