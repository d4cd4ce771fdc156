"""Prompts as token ids."""

import json
from typing import Any

from transformers import PreTrainedTokenizerFast

from lorakit.chat import Chat
from lorakit.errors import RunError
from lorakit.rows import ChatRow, Message, Tool
from lorakit.serve.requests.errors import ApiError
from lorakit.serve.requests.protocol import Ask


class PromptEncoder:
    """Token ids of requests for a model whose context is `context` tokens; safe to use from several threads."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, context: int) -> None:
        self._chat = Chat(tokenizer, area="serve")
        self._context = context
        # Every token covers some bytes of the text, at most as many as its own name has.
        self._max_bytes = context * max(len(token.encode()) for token in tokenizer.get_vocab())
        # Set once: a call of the tokenizer itself would set them again, and fail while another thread encodes.
        tokenizer.backend_tokenizer.no_truncation()
        tokenizer.backend_tokenizer.no_padding()

    def encode(self, ask: Ask) -> list[int]:
        """Token ids of a request's prompt; raises `ApiError`, for a text that cannot fit before it is read."""
        self._check_size(ask)
        text = ask.prompt
        if ask.messages is not None:
            text = self._render(ask.messages, ask.tools)
        # The batch's call lets other threads run, the single one does not; the fast one leaves out offsets.
        backend = self._chat.tokenizer.backend_tokenizer
        [encoding] = backend.encode_batch_fast([text], add_special_tokens=ask.messages is None)
        ids: list[int] = encoding.ids
        return ids

    def answer(self, text: str) -> list[int]:
        """Token ids of the text of an answer, without its end."""
        [encoding] = self._chat.tokenizer.backend_tokenizer.encode_batch_fast([text], add_special_tokens=False)
        ids: list[int] = encoding.ids
        return ids

    def _render(self, messages: list[Message], tools: list[Tool]) -> str:
        """As in training: what the template would leave out is refused."""
        # Reasoning of earlier turns may be left out: many templates do so by intent.
        unread = self._chat.unread(ChatRow("", messages, tools)) - {"reasoning"}
        if unread:
            param = "tools" if "tools" in unread else "messages"
            text = (
                f"{param}: the chat template of this base model does not read {min(unread)}. Leave out tools, tool "
                "calls and tool messages, or ask a model whose base is made for tools."
            )
            raise ApiError(400, text, "unsupported_parameter", param)
        try:
            return self._chat.render(messages, tools, prompt=True)
        except RunError as error:
            raise ApiError(400, error.text, "bad_messages") from None

    def _check_size(self, ask: Ask) -> None:
        if ask.messages is None:
            size, pieces = len((ask.prompt or "").encode()), 1
        else:
            size = sum(len(_text_of(message).encode()) for message in ask.messages)
            size += len(_json(ask.tools).encode()) if ask.tools else 0
            pieces = len(ask.messages)
        if size <= self._max_bytes and pieces <= self._context:
            return
        text = f"This model's context is {self._context} tokens, which a prompt of {size} bytes cannot fit."
        raise ApiError(400, text, "context_length_exceeded", "messages" if ask.messages else "prompt")


def _text_of(message: Message) -> str:
    return str(message["content"]) + (_json(message["tool_calls"]) if "tool_calls" in message else "")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
