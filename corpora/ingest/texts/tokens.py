"""Number of tokens of a row, by the tokenizer of its base model."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from corpora.ingest.contracts import Context, Message

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
    def _tokenizer(self) -> "Tokenizer | None":
        from tokenizers import Tokenizer

        return Tokenizer.from_file(self.context.tokenizer) if self.context.tokenizer else None

    def count(self, messages: Sequence[Message]) -> int:
        """Tokens of a conversation, including the template's."""
        around = TURN_TOKENS * len(messages)
        if self._tokenizer is None:
            return around + sum(len(turn.content.encode()) for turn in messages) // BYTES_PER_TOKEN
        encodings = self._tokenizer.encode_batch_fast([turn.content for turn in messages], add_special_tokens=False)
        return around + sum(len(encoding) for encoding in encodings)
