"""What a judge is asked about an evaluation: lazily, one criterion at a time, pairs in both orders."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from evaluations.judges.prompts import CORRECT, Prompt, pair_prompt_for, prompt_for
from evaluations.rubrics.document import RubricDocument, Weighted

CORRECTNESS = RubricDocument(name=CORRECT.name, instructions="", criteria=(Weighted(criterion=CORRECT),))
"""Where no rubric was chosen."""

Pair = tuple[str, str]
"""Keys of two different models."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row with the answers that there are: {model's key: text}.

    Rows with the same `prompt` count as one for intervals; empty, it is derived from the messages.
    """

    id: str
    messages: Sequence[Mapping[str, Any]]
    reference: str
    answers: Mapping[str, str]
    prompt: str = ""

    @cached_property
    def prompt_key(self) -> str:
        """What rows with the same prompt have in common; a row without one stands alone."""
        if self.prompt:
            return self.prompt
        if not self.messages:
            return self.id
        return hashlib.sha256(json.dumps([dict(one) for one in self.messages], sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Question:
    """One prompt: the grade of one model's answer, or a pair of models in the order of the prompt."""

    criterion: str
    models: tuple[str, ...]
    prompt: Prompt


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A rubric, and the pairs of models to compare directly beside grading each answer, or instead of it."""

    rubric: RubricDocument
    pairs: tuple[Pair, ...] = ()
    grades: bool = True

    def questions(self, row: Row) -> Iterator[Question]:
        """Those of one row. Two models with the same answer have the same prompt, and are no pair to ask about."""
        for one in self.rubric.criteria:
            common: dict[str, Any] = {
                "messages": row.messages,
                "reference": row.reference,
                "instructions": self.rubric.instructions,
            }
            for model, answer in row.answers.items() if self.grades else ():
                prompt: Prompt = prompt_for(one.criterion, answer=answer, **common)
                yield Question(criterion=one.criterion.name, models=(model,), prompt=prompt)
            for first, second in self.orders(row):
                prompt = pair_prompt_for(one.criterion, first=row.answers[first], second=row.answers[second], **common)
                yield Question(criterion=one.criterion.name, models=(first, second), prompt=prompt)

    def orders(self, row: Row) -> Iterator[Pair]:
        """Both orders of each pair whose answers are there and differ."""
        for first, second in self.pairs:
            if first in row.answers and second in row.answers and row.answers[first] != row.answers[second]:
                yield first, second
                yield second, first


def numbered(plan: Plan, rows: Iterable[Row], *, start: int = 0) -> Iterator[tuple[int, Question]]:
    """(number of the row, question), the first row being `start`."""
    for number, row in enumerate(rows, start):
        for question in plan.questions(row):
            yield number, question
