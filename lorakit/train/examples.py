"""Turns chat rows into training examples: token ids, with labels only on the assistant's answers."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from transformers import PreTrainedTokenizerFast

from lorakit.rows import ChatRow, Message

IGNORED = -100
"""The label of tokens that the loss ignores."""


GENERATION = re.compile(r"\{%-?\s*generation\s*-?%\}")
"""The pattern that transformers searches for."""


@dataclass(frozen=True)
class Example:
    """One row: `labels` equals `input_ids` for tokens in the loss, and is `IGNORED` elsewhere."""

    input_ids: list[int]
    labels: list[int]


def encode_row(tokenizer: PreTrainedTokenizerFast, messages: list[Message]) -> Example:
    """Tokenise a row with the base's chat template.

    If the template marks answers with {% generation %}, every answer in the row is labelled. Otherwise only the last
    answer is labelled: everything after the prompt.
    """
    if GENERATION.search(str(tokenizer.chat_template)):
        encoded: Any = tokenizer.apply_chat_template(
            messages, tokenize=True, return_dict=True, return_assistant_tokens_mask=True
        )
        ids: list[int] = encoded["input_ids"]
        mask: list[int] = encoded["assistant_masks"]
        return Example(ids, [token if marked else IGNORED for token, marked in zip(ids, mask, strict=True)])
    prompt = tokenizer.apply_chat_template(messages[:-1], tokenize=False, add_generation_prompt=True)
    whole = tokenizer.apply_chat_template(messages, tokenize=False)
    start = len(tokenizer(prompt, add_special_tokens=False)["input_ids"])
    ids = tokenizer(whole, add_special_tokens=False)["input_ids"]
    return Example(ids, [IGNORED] * start + ids[start:])


def encode_rows(
    tokenizer: PreTrainedTokenizerFast, rows: Iterable[ChatRow], max_length: int, *, at_most: float = math.inf
) -> tuple[list[Example], int]:
    """The first `at_most` examples, and the number of rows left out because they exceed `max_length` tokens.

    Rows are never truncated: an answer without its end would teach the adapter not to stop.
    """
    examples: list[Example] = []
    too_long = 0
    for row in rows:
        if len(examples) >= at_most:
            break
        example = encode_row(tokenizer, row.messages)
        if len(example.input_ids) > max_length:
            too_long += 1
        else:
            examples.append(example)
    return examples, too_long


class Collator:
    """Pads examples to the longest of a batch.

    With `answers_only`, the model computes logits only for the columns from which answers of the batch are predicted.
    The loss is the same, because prompts need no logits; with a large vocabulary, logits take most of a step's memory.
    """

    def __init__(self, pad_token_id: int, *, answers_only: bool) -> None:
        self.pad_token_id = pad_token_id
        self.answers_only = answers_only

    def __call__(self, examples: list[Example]) -> dict[str, torch.Tensor]:
        """Tensors of shape [batch, longest]: input_ids, attention_mask, labels.

        With `answers_only` also logits_to_keep, the columns [kept], and shift_labels [batch, kept], the label that
        follows each column.
        """
        longest = max(len(example.input_ids) for example in examples)

        def pad(values: list[int], filler: int) -> list[int]:
            return values + [filler] * (longest - len(values))

        batch = {
            "input_ids": torch.tensor([pad(e.input_ids, self.pad_token_id) for e in examples]),
            "attention_mask": torch.tensor([pad([1] * len(e.input_ids), 0) for e in examples]),
            "labels": torch.tensor([pad(e.labels, IGNORED) for e in examples]),
        }
        if self.answers_only:
            following = batch["labels"][:, 1:]
            columns = (following != IGNORED).any(dim=0).nonzero().squeeze(1)
            batch |= {"logits_to_keep": columns, "shift_labels": following[:, columns]}
        return batch
