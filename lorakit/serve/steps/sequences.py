"""One answer in progress: its prompt, how its tokens are chosen, and what it has so far."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

import torch

if TYPE_CHECKING:
    from lorakit.serve.steps.key_values import Block

Finish = Literal["stop", "length", "cancelled", "error"]
"""Why a row ended; "error" is a form that could not be kept."""


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen; temperature 0 chooses the most likely one.

    The penalties are OpenAI's and vLLM's: on tokens of the answer, and for `repetition_penalty` of the prompt too.
    `logit_bias` is added to the logits of token ids.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    seed: int | None = None
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    repetition_penalty: float = 1.0
    logit_bias: Mapping[int, float] = field(default_factory=dict)

    @property
    def changes_logits(self) -> bool:
        """Whether anything is done to the logits before a token is chosen."""
        return bool(
            self.frequency_penalty or self.presence_penalty or self.repetition_penalty != 1.0 or self.logit_bias
        )


class Guide(Protocol):
    """Holds an answer to a form. `has_failed` is set where it can't."""

    has_failed: bool

    def mask(self, logits: torch.Tensor) -> torch.Tensor:
        """Logits of shape [vocabulary] on the CPU, minus infinity for every token that can't come next."""
        ...

    def take(self, token: int) -> bool:
        """Go on by a token. Returns whether the answer is complete, or has failed, and can't go on."""
        ...


@dataclass(frozen=True)
class Chosen:
    """A token with its natural-log probability under the model, and likely others with theirs, the likeliest first."""

    token: int
    log_probability: float
    alternatives: tuple[tuple[int, float], ...]


@dataclass(eq=False)
class Sequence:
    """One row: a prompt as token ids, and the answer so far.

    `tokens` ends with the end token if the model generated one. `on_token` gets every other token and may end the
    row by returning True. `guide` holds the answer to a form. `busy_seconds` is the row's share of the model's time.
    `log_probability` is the sum of the tokens' natural-log probabilities under the model, whatever the sampling, if the
    batch counts them. Where `alternatives` is set, `chosen` has every token but the end token with that many others.

    Where `scored_from` is set, nothing is said: the row ends when it has read its prompt, and `log_probability` is that
    of the prompt's tokens from there on and of an end behind them.

    `computed` is how many tokens of prompt and answer have their keys and values in `block`, at row `place`. Once a row
    has read its first `shared` tokens, its `followers`, whose prompts begin with them, go on from there.
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
    guide: Guide | None = None
    alternatives: int | None = None
    chosen: list[Chosen] = field(default_factory=list)
    scored_from: int | None = None
    shared: int = 0
    followers: "list[Sequence]" = field(default_factory=list)
    follows: bool = False
    computed: int = 0
    block: "Block | None" = None
    place: int = 0
    generator: torch.Generator | None = None

    @property
    def length(self) -> int:
        """The number of tokens of prompt and answer."""
        return len(self.prompt) + len(self.tokens)

    @property
    def is_plain(self) -> bool:
        """Whether the most likely token is chosen from the model's own logits."""
        return self.sampling.temperature == 0 and self.guide is None and not self.sampling.changes_logits

    @property
    def pending(self) -> int:
        """How many tokens the model has yet to read before it can say the next one."""
        return self.length - self.computed

    @property
    def in_block(self) -> "Block":
        """The block of a row that was given room."""
        assert self.block is not None  # noqa: S101 - whoever asks has made room before
        return self.block

    @property
    def is_decoding(self) -> bool:
        """Whether only the newest token of the answer is left to read."""
        return bool(self.tokens) and self.pending == 1

    def unread(self, count: int) -> list[int]:
        """The next `count` tokens to read."""
        start, end = self.computed, self.computed + count
        split = len(self.prompt)
        if start >= split:
            return self.tokens[start - split : end - split]
        return self.prompt[start:end] + self.tokens[: max(0, end - split)]


S = TypeVar("S", bound=Sequence)
