"""Prompts as token ids."""

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerFast

from lorakit.serve.protocol import ApiError, Ask


class PromptEncoder:
    """Token ids of requests for a model whose context is `context` tokens; safe to use from several threads."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, context: int) -> None:
        self._tokenizer = tokenizer
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
            try:
                text = str(
                    self._tokenizer.apply_chat_template(ask.messages, tokenize=False, add_generation_prompt=True)
                )
            except TemplateError as error:
                raise ApiError(400, f"The chat template refuses this: {error}", "bad_messages") from None
        # The batch's call lets other threads run, the single one does not; the fast one leaves out offsets.
        backend = self._tokenizer.backend_tokenizer
        [encoding] = backend.encode_batch_fast([text], add_special_tokens=ask.messages is None)
        ids: list[int] = encoding.ids
        return ids

    def _check_size(self, ask: Ask) -> None:
        if ask.messages is None:
            size, pieces = len((ask.prompt or "").encode()), 1
        else:
            size, pieces = sum(len(message["content"].encode()) for message in ask.messages), len(ask.messages)
        if size <= self._max_bytes and pieces <= self._context:
            return
        text = f"This model's context is {self._context} tokens, which a prompt of {size} bytes cannot fit."
        raise ApiError(400, text, "context_length_exceeded", "messages" if ask.messages else "prompt")
