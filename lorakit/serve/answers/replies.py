"""The shape of OpenAI's responses."""

import time
from collections.abc import Sequence as Many
from dataclasses import dataclass, field
from typing import Any

from transformers import PreTrainedTokenizerFast

from lorakit.serve.steps.sequences import Chosen


@dataclass(frozen=True)
class Choice:
    """One answer: its text, why it ended, and, where they are wanted, its tokens or the odds of all choices."""

    index: int
    text: str
    finish: str | None
    tokens: list[Chosen] | None = None
    odds: dict[str, float] | None = None

    def followed_by(self, piece: "Choice") -> "Choice":
        """The same answer with another piece of it."""
        tokens = None if self.tokens is None else self.tokens + (piece.tokens or [])
        return Choice(self.index, self.text + piece.text, piece.finish, tokens, piece.odds)


class Spelling:
    """Tokens as texts and bytes."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self._tokenizer = tokenizer

    def text(self, token: int) -> str:
        """The text of one token; half a character is a replacement character."""
        return str(self._tokenizer.decode([token]))

    def chat(self, tokens: Many[Chosen]) -> dict[str, Any]:
        """`logprobs` of a chat's choice."""
        return {
            "content": [
                self._entry(one.token, one.log_probability)
                | {"top_logprobs": [self._entry(token, value) for token, value in one.alternatives]}
                for one in tokens
            ],
            "refusal": None,
        }

    def completion(self, tokens: Many[Chosen], start: int) -> dict[str, Any]:
        """`logprobs` of a completion's choice whose text begins at character `start` of the answer."""
        texts = [self.text(one.token) for one in tokens]
        offsets = [start + sum(map(len, texts[:place])) for place in range(len(texts))]
        return {
            "tokens": texts,
            "token_logprobs": [one.log_probability for one in tokens],
            "top_logprobs": [{self.text(token): value for token, value in one.alternatives} or None for one in tokens],
            "text_offset": offsets,
        }

    def _entry(self, token: int, log_probability: float) -> dict[str, Any]:
        text = self.text(token)
        return {"token": text, "logprob": log_probability, "bytes": list(text.encode())}


@dataclass(frozen=True)
class Reply:
    """The fields shared by all parts of an answer."""

    id: str
    model: str
    fingerprint: str
    chat: bool
    spelling: Spelling
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self, choices: Many[Choice], usage: dict[str, int]) -> dict[str, Any]:
        """The answers in one piece."""
        kind = "chat.completion" if self.chat else "text_completion"
        return {**self._head(kind), "choices": [self._whole(choice) for choice in choices], "usage": usage}

    def _whole(self, choice: Choice) -> dict[str, Any]:
        entry = self._entry(choice, 0)
        if self.chat:
            entry["message"] = {"role": "assistant", "content": choice.text}
        else:
            entry["text"] = choice.text
        if choice.odds is not None:
            entry["choices"] = [{"text": text, "probability": share} for text, share in choice.odds.items()]
        return entry

    def piece(self, choice: Choice, *, start: int = 0, first: bool = False) -> dict[str, Any]:
        """One event of a streamed answer, whose text begins at character `start` of it."""
        entry = self._entry(choice, start)
        if self.chat:
            delta = {"content": choice.text} if choice.text or first else {}
            entry["delta"] = {"role": "assistant", **delta} if first else delta
        else:
            entry["text"] = choice.text
        return {**self._head(self._stream_kind), "choices": [entry]}

    def closing(self) -> dict[str, Any]:
        """The last event, which takes the usage if the client requested it."""
        return {**self._head(self._stream_kind), "choices": []}

    @property
    def _stream_kind(self) -> str:
        return "chat.completion.chunk" if self.chat else "text_completion"

    def _entry(self, choice: Choice, start: int) -> dict[str, Any]:
        entry: dict[str, Any] = {"index": choice.index, "finish_reason": choice.finish, "logprobs": None}
        if choice.tokens is not None and (choice.tokens or choice.finish is None):
            spelt = self.spelling.chat(choice.tokens) if self.chat else self.spelling.completion(choice.tokens, start)
            entry["logprobs"] = spelt
        return entry

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.fingerprint,
        }


def usage_of(prompt: int, completion: int) -> dict[str, int]:
    """Token counts in OpenAI's format."""
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
