"""The exact prompts that a judge gets for a rubric: on the built-in example, on a row, or on rows of a dataset."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from corpora.models import DatasetVersion
from corpora.versions.rows import Rows
from evaluations.judges.example import ANSWER, MESSAGES, REFERENCE
from evaluations.judges.prompts import GradePrompt, prompt_for
from evaluations.rubrics.document import RubricDocument
from lorakit.rows import text_of

ROWS = 5


@dataclass(frozen=True, kw_only=True)
class RowPrompts:
    """The prompts on one row; `number` is the row's in its version, None on the built-in example."""

    number: int | None
    prompts: list[tuple[str, GradePrompt]]


def prompts(
    document: RubricDocument,
    *,
    messages: Sequence[Mapping[str, Any]] = MESSAGES,
    reference: str = REFERENCE,
    answer: str = ANSWER,
) -> list[tuple[str, GradePrompt]]:
    """(criterion's name, prompt) in the order of the rubric: one call each."""
    return [
        (
            one.criterion.name,
            prompt_for(
                one.criterion,
                messages=messages,
                reference=reference,
                answer=answer,
                instructions=document.instructions,
            ),
        )
        for one in document.criteria
    ]


def prompts_on_rows(document: RubricDocument, version: DatasetVersion) -> list[RowPrompts]:
    """On the first five rows held out, or the first five of all if none is held out.

    No model has answered them, so the expected answer is also the one to grade. Raises NotReady or ObjectMissing.
    """
    rows = Rows(version, "test") if version.test_count else Rows(version)
    found = []
    for stored in rows.page(cursor=None, size=ROWS).rows:
        *messages, last = msgspec.to_builtins(stored.row.messages)
        reference = text_of(last)
        on_row = prompts(document, messages=messages, reference=reference, answer=reference)
        found.append(RowPrompts(number=stored.number, prompts=on_row))
    return found
