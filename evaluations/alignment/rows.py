"""The answers that measure, as the judging asks about them."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from evaluations.judging.plan import Row
from evaluations.models import Answer

ANSWER = "answer"
ROWS_AT_ONCE = 100


def rows_of(answers: Sequence[str], start: int = 0) -> Iterator[Row]:
    """From number `start` on, in this order; one that was deleted in the meantime is asked nothing."""
    for first in range(start, len(answers), ROWS_AT_ONCE):
        wanted = answers[first : first + ROWS_AT_ONCE]
        found = Answer.objects.select_related("item").in_bulk([UUID(one) for one in wanted])
        for answer_id in wanted:
            answer = found.get(UUID(answer_id))
            if answer is None:
                yield Row(id=answer_id, messages=(), reference="", answers={})
                continue
            yield Row(
                id=answer_id,
                messages=answer.item.messages,
                reference=answer.item.reference,
                answers={ANSWER: answer.text},
                prompt=answer.item.prompt_sha256,
            )
