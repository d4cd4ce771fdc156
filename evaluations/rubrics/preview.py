"""The exact prompts that a judge gets for a rubric, on the built-in example or on a row."""

from collections.abc import Mapping, Sequence
from typing import Any

from evaluations.judges.example import ANSWER, MESSAGES, REFERENCE
from evaluations.judges.prompts import GradePrompt, prompt_for
from evaluations.rubrics.document import RubricDocument


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
