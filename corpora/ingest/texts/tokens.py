"""Number of tokens of a row, by the tokenizer and the chat template of its base model."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from corpora.ingest.contracts import Context, Turn
from lorakit.chat_probe import CANNOT_RENDER, render

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TURN_TOKENS = 4
"""Approximate number of tokens that a chat template adds to a turn."""

BYTES_PER_TOKEN = 4


class TokenCounter:
    """Counts tokens with the context's tokenizer file, loaded on first use. Without a file, it estimates them."""

    def __init__(self, context: Context) -> None:
        self.context = context

    @cached_property
    def frame(self) -> int:
        """Tokens that the template adds to the shortest conversation, such as instructions of its own."""
        return self.count([Turn(role="user", content=""), Turn(role="assistant", content="")])

    def count(self, messages: Sequence[Turn], tools: bytes = b"") -> int:
        """Tokens of a conversation and its tools (JSON), including the template's."""
        around, texts = 0, self._rendered(messages, tools)
        if not texts:
            texts = [*map(_text_of, messages), tools.decode()] if tools else list(map(_text_of, messages))
            around = TURN_TOKENS * len(messages)
        if self._tokenizer is None:
            return around + sum(len(text.encode()) for text in texts) // BYTES_PER_TOKEN
        encodings = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return around + sum(len(encoding) for encoding in encodings)

    def _rendered(self, messages: Sequence[Turn], tools: bytes) -> list[str]:
        """The whole text that the base model reads; none where the template can't be had or refuses it."""
        if not self.context.template:
            return []
        turns = msgspec.to_builtins(messages)
        try:
            return [render(self.context.template, turns, tools=msgspec.json.decode(tools) if tools else None)]
        except CANNOT_RENDER:
            return []

    @cached_property
    def _tokenizer(self) -> "Tokenizer | None":
        from tokenizers import Tokenizer

        return Tokenizer.from_file(self.context.tokenizer) if self.context.tokenizer else None


def _text_of(turn: Turn) -> str:
    if not turn.tool_calls and not turn.reasoning_content:
        return turn.content
    return f"{turn.reasoning_content}{turn.content}{msgspec.json.encode(turn.tool_calls).decode()}"
