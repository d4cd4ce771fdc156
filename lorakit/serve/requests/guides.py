"""Holds an answer to a JSON schema, a regular expression or a list of choices, token by token."""

import json
from dataclasses import dataclass
from typing import Any, Literal

import llguidance.hf
import llguidance.numpy
import numpy as np
import torch
from llguidance import LLMatcher
from transformers import PreTrainedTokenizerFast

from lorakit.serve.requests.errors import ApiError, invalid

MAX_SIZE = 64 * 1024
"""Characters of a schema or a pattern."""

JSON_STYLE: Any = {"whitespace_flexible": False, "item_separator": ", ?", "key_separator": ": ?"}
"""JSON on one line, with or without a space behind commas and colons: no endless white space, and no style that an
adapter was not trained for."""


@dataclass(frozen=True)
class Form:
    """What an answer has to be: a JSON schema as text, or a regular expression. The request's `param` says so."""

    kind: Literal["json", "regex"]
    text: str
    param: str


class Guide:
    """One answer's way through its form. `has_failed` is set where a form turns out to be too much for its parser."""

    def __init__(self, matcher: LLMatcher, vocabulary: int) -> None:
        self._matcher = matcher
        self._vocabulary = vocabulary
        self._bits = llguidance.numpy.allocate_token_bitmask(1, vocabulary)
        self.has_failed = False

    def copy(self) -> "Guide":
        """Another at the same place."""
        return Guide(self._matcher.deep_copy(), self._vocabulary)

    def mask(self, logits: torch.Tensor) -> torch.Tensor:
        """Logits of shape [vocabulary] on the CPU, minus infinity for every token that can't come next."""
        llguidance.numpy.fill_next_token_bitmask(self._matcher, self._bits, 0)
        self.has_failed = self.has_failed or bool(self._matcher.is_error())
        # llguidance's own function for this compiles itself with torch first, which takes seconds.
        allowed = np.unpackbits(self._bits[0].view(np.uint8), bitorder="little")[: len(logits)]
        return logits.masked_fill(torch.from_numpy(allowed == 0), -torch.inf)

    def take(self, token: int) -> bool:
        """Go on by a token. Returns whether the answer is complete, or has failed, and can't go on."""
        self.has_failed = self.has_failed or not self._matcher.consume_token(token)
        return self.has_failed or bool(self._matcher.is_stopped())


class Guides:
    """Makes guides for a tokenizer; safe to use from several threads. `vocabulary` is the number of logits."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, vocabulary: int, end_ids: frozenset[int]) -> None:
        self._vocabulary = vocabulary
        self._tokenizer = llguidance.hf.from_tokenizer(tokenizer, n_vocab=vocabulary, eos_token=sorted(end_ids))

    def guide(self, form: Form) -> Guide:
        """A guide at the beginning of an answer. Raises `ApiError` that says what of the form is not supported."""
        if len(form.text) > MAX_SIZE:
            raise invalid(form.param, f"this is longer than {MAX_SIZE} characters.")
        try:
            grammar = (
                LLMatcher.grammar_from_json_schema(form.text, defaults=JSON_STYLE)
                if form.kind == "json"
                else LLMatcher.grammar_from_regex(form.text)
            )
            problem = LLMatcher.validate_grammar(grammar, self._tokenizer)
        except ValueError as error:
            problem = str(error)
        if problem:
            text = f"{form.param}: {' '.join(problem.split())[:400]}."
            raise ApiError(400, text.replace("..", "."), "unsupported_schema", form.param)
        return Guide(LLMatcher(self._tokenizer, grammar), self._vocabulary)


def schema_form(schema: Any, param: str) -> Form:
    """The form of a JSON schema."""
    return Form("json", json.dumps(schema), param)
