"""The rows of one request, and what they say in the end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from transformers import PreTrainedTokenizerFast

from lorakit.serve.adapters.pool import BASE_SLOT, StoredAdapter
from lorakit.serve.answers.replies import Choice
from lorakit.serve.answers.text import TextStream
from lorakit.serve.requests.guides import Guide
from lorakit.serve.requests.protocol import Ask
from lorakit.serve.steps.sequences import Sequence


@dataclass(frozen=True)
class Target:
    """A resolved model name. `adapter` is None for the base; `sha256` is the hash of the adapter or base."""

    name: str
    adapter: StoredAdapter | None
    sha256: str

    @property
    def fingerprint(self) -> str:
        """The fingerprint in an answer that identifies the weights behind it."""
        return self.sha256[:16] if self.adapter else f"base-{self.sha256[:11]}"


@dataclass(frozen=True)
class Prepared:
    """A checked request: its prompt and choices as token ids, and the most tokens of an answer."""

    ask: Ask
    target: Target
    prompt: list[int]
    max_tokens: int
    choices: list[list[int]]
    guide: Guide | None


class Talking:
    """Answers in free words, or in a form.

    In the worker's thread, `put` gets their pieces as they come, and `noticed` is called for every token.
    """

    def __init__(
        self,
        prepared: Prepared,
        tokenizer: PreTrainedTokenizerFast,
        put: Callable[[Choice], None],
        noticed: Callable[[], None],
    ) -> None:
        ask = prepared.ask
        self._streams = [TextStream(tokenizer, ask.stop) for _ in range(ask.answers)]
        self._sent = [0] * ask.answers
        self._put = put
        self._noticed = noticed
        self.rows = [self._row(prepared, index) for index in range(ask.answers)]
        lead(self.rows, len(prepared.prompt) - 1)

    def _row(self, prepared: Prepared, index: int) -> Sequence:
        ask, sampling = prepared.ask, prepared.ask.sampling
        if index and sampling.seed is not None:
            sampling = replace(sampling, seed=sampling.seed + index)
        return Sequence(
            prepared.prompt,
            BASE_SLOT,
            prepared.max_tokens,
            sampling,
            on_token=lambda token: self._take(index, token),
            guide=None if prepared.guide is None else prepared.guide.copy(),
            alternatives=ask.alternatives,
        )

    def _take(self, index: int, token: int) -> bool:
        self._noticed()
        stream = self._streams[index]
        text = stream.push(token)
        if text:
            self._put(self._piece(index, text, None))
        return stream.stopped

    def _piece(self, index: int, text: str, finish: str | None) -> Choice:
        row, sent = self.rows[index], self._sent[index]
        self._sent[index] = len(row.chosen)
        return Choice(index, text, finish, None if row.alternatives is None else row.chosen[sent:])

    def ended(self) -> Iterator[Choice]:
        """The last pieces, once all rows have finished."""
        for index, row in enumerate(self.rows):
            yield self._piece(index, self._streams[index].finish(), row.finish or "stop")


class Classifying:
    """The likeliest of several texts, with how likely each of them is."""

    def __init__(self, prepared: Prepared) -> None:
        self._texts = prepared.ask.choices
        self._tokens = prepared.choices
        start = len(prepared.prompt)
        self.rows = [Sequence(prepared.prompt + tokens, BASE_SLOT, 1, scored_from=start) for tokens in prepared.choices]
        lead(self.rows, start - 1)

    def ended(self) -> Iterator[Choice]:
        """The answer, once all rows have been read."""
        if any(row.finish == "cancelled" for row in self.rows):
            yield Choice(0, "", "cancelled")
            return
        shares = torch.tensor([row.log_probability for row in self.rows]).softmax(0).tolist()
        best = max(range(len(shares)), key=shares.__getitem__)
        # What it would have taken to say it, the end included.
        self.rows[best].tokens = [*self._tokens[best], self._tokens[best][-1]]
        ranked = sorted(zip(self._texts, shares, strict=True), key=lambda pair: -pair[1])
        yield Choice(0, self._texts[best], "stop", odds=dict(ranked))


def lead(rows: list[Sequence], shared: int) -> None:
    """Let the first row read what all begin with, and the others go on from there."""
    first, *others = rows
    if others and shared > 0:
        first.shared, first.followers = shared, others
        for row in others:
            row.follows = True
