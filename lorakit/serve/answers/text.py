"""Turns an answer's tokens into text as they arrive, up to a stop string."""

from tokenizers.decoders import DecodeStream
from transformers import PreTrainedTokenizerFast


class TextStream:
    """Turns tokens into pieces of text that are final.

    Incomplete characters are held back until their remaining bytes arrive, and text that may be the beginning of a stop
    string until that is certain. `stopped` is set when a stop string has arrived, which is not part of the text.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast, stop: list[str]) -> None:
        self._tokenizer = tokenizer
        self._stream = DecodeStream(skip_special_tokens=True)
        self._stop = stop
        self._tokens: list[int] = []
        self._text = ""
        self._given = 0
        self.stopped = False

    def push(self, token: int) -> str:
        """Add a token. Returns the text that is now final."""
        self._tokens.append(token)
        self._text += self._stream.step(self._tokenizer.backend_tokenizer, token) or ""
        starts = [start for mark in self._stop if (start := self._text.find(mark)) >= 0]
        if starts:
            self.stopped = True
            self._text = self._text[: min(starts)]
            return self._give(len(self._text))
        return self._give(len(self._text) - self._held_back())

    def finish(self) -> str:
        """The text still held back, once there are no more tokens."""
        if not self.stopped:
            whole = str(self._tokenizer.decode(self._tokens, skip_special_tokens=True))
            if whole.startswith(self._text):
                self._text = whole
        return self._give(len(self._text))

    def _held_back(self) -> int:
        """Length of the longest ending that is the beginning of a stop string."""
        return max(
            (
                size
                for mark in self._stop
                for size in range(1, min(len(mark), len(self._text) + 1))
                if self._text.endswith(mark[:size])
            ),
            default=0,
        )

    def _give(self, end: int) -> str:
        piece = self._text[self._given : end]
        self._given = max(self._given, end)
        return piece
