"""Turns chat rows into training examples: token ids, with labels only on the answers to learn.

What is learnt does not depend on how a base's chat template is written. An answer runs from the end of the prompt that
asks for it to the end of its turn. `{% generation %}` marks have no effect.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import PreTrainedTokenizerFast

from lorakit.chat import Chat
from lorakit.contracts import Learn
from lorakit.errors import RunError
from lorakit.rows import ChatRow

IGNORED = -100
"""The label of tokens that the loss ignores."""

Span = tuple[int, int]
"""Where a piece of text begins and ends, in characters."""


@dataclass(frozen=True)
class Example:
    """`labels` equals `input_ids` for tokens in the loss, and is `IGNORED` elsewhere."""

    input_ids: list[int]
    labels: list[int]


@dataclass
class Encoded:
    """The examples of `rows` rows, and the number of rows left out: too long, or without an answer to learn."""

    examples: list[Example] = field(default_factory=list)
    rows: int = 0
    too_long: int = 0
    untaught: int = 0


class RowEncoder:
    """Turns rows into examples for one tokenizer and one choice of answers."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, learn: Learn) -> None:
        self.tokenizer = tokenizer
        self.learn = learn
        self.chat = Chat(tokenizer, area="training")
        added = tokenizer.added_tokens_decoder
        self.special = {number for number, token in added.items() if token.special} | set(tokenizer.all_special_ids)

    def encode(self, row: ChatRow) -> list[Example]:
        """No example if the row teaches nothing, usually one.

        A template that writes earlier turns otherwise than the last one, as Qwen3's does, gives an example for each
        answer: every answer is learnt as the model will be asked for it. Raises RunError if the template can't be used.
        """
        answers = self.answers(row)
        if not answers:
            return []
        self.chat.check(row)
        whole = self.chat.render(row.messages, row.tools, prompt=False)
        spans = [self.find_answer(row, index, whole, len(row.messages)) for index in answers]
        known = [span for span in spans if span is not None]
        if len(known) == len(spans):
            return [self.label(whole, known)]
        return [self.encode_last(row, index) for index in answers]

    def answers(self, row: ChatRow) -> list[int]:
        """The positions of the turns to learn."""
        last = len(row.messages) - 1
        turns = range(last + 1) if self.learn == "every_answer" else (last,)
        return [i for i in turns if row.messages[i]["role"] == "assistant" and i not in row.muted]

    def find_answer(self, row: ChatRow, index: int, text: str, length: int) -> Span | None:
        """Where the answer is in the text of the first `length` messages; None if the text has it otherwise."""
        prompt = self.chat.render(row.messages[:index], row.tools, prompt=True)
        if not text.startswith(prompt):
            return None
        if index == length - 1:
            return len(prompt), len(text)
        turns = self.chat.render(row.messages[: index + 1], row.tools, prompt=False)
        return (len(prompt), len(turns)) if text.startswith(turns) else None

    def encode_last(self, row: ChatRow, index: int) -> Example:
        """The conversation up to this answer, which alone is learnt. Raises RunError if the template can't be used."""
        text = self.chat.render(row.messages[: index + 1], row.tools, prompt=False)
        span = self.find_answer(row, index, text, index + 1)
        if span is None:
            message = (
                "This base model can't be trained with your conversations: when it is asked, its chat template begins "
                f"an answer in another way than when it learns one (seen in row {row.id}), so the adapter would not "
                "be asked as it was taught. Start the training again with another base model. If it has to be this "
                "one, ask your site's operator to correct its chat template. Your dataset needs no change."
            )
            raise RunError("training:template_prompt_differs", message)
        return self.label(text, [span])

    def label(self, text: str, spans: list[Span]) -> Example:
        """The tokens of a text, with labels for all that have a character in one of the spans."""
        encoded: Any = self.tokenizer(
            text, add_special_tokens=False, return_attention_mask=False, return_offsets_mapping=True
        )
        ids: list[int] = encoded["input_ids"]
        offsets: list[Span] = encoded["offset_mapping"]
        labels = [IGNORED] * len(ids)
        for start, end in spans:
            first = bisect_right(offsets, start, key=lambda offset: offset[1])
            after = bisect_left(offsets, end, key=lambda offset: offset[0])
            after = self.end_of_turn(ids, first, after, text, offsets)
            labels[first:after] = ids[first:after]
        return Example(ids, labels)

    def end_of_turn(self, ids: list[int], first: int, after: int, text: str, offsets: list[Span]) -> int:
        """`after` without the white space that a template writes behind a turn's end token."""
        for position in range(after - 1, first - 1, -1):
            if ids[position] in self.special:
                return position + 1
            if text[slice(*offsets[position])].strip():
                break
        return after


def encode_rows(
    tokenizer: PreTrainedTokenizerFast,
    rows: Iterable[ChatRow],
    max_length: int,
    *,
    learn: Learn,
    at_most: float = math.inf,
) -> Encoded:
    """The examples of the first `at_most` rows that can be used.

    Rows of more than `max_length` tokens are left out and never truncated: an answer without its end would teach the
    adapter not to stop.
    """
    encoder, encoded = RowEncoder(tokenizer, learn), Encoded()
    for row in rows:
        if encoded.rows >= at_most:
            break
        examples = encoder.encode(row)
        if not examples:
            encoded.untaught += 1
        elif any(len(example.input_ids) > max_length for example in examples):
            encoded.too_long += 1
        else:
            encoded.rows += 1
            encoded.examples += examples
    return encoded


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
