"""The rows of an evaluation, as they are stored at its start."""

import hashlib
import json
from collections.abc import Iterable

from django.db import transaction

from evaluations.models import EvaluationItem, EvaluationRun
from evaluations.runs.stages.answers import BATCH
from evaluations.runs.stages.held_out import HeldOutRow, held_out_rows
from rest.errors import PortalError

MAX_NEW_TOKENS = 512
MIN_NEW_TOKENS = 16


@transaction.atomic
def store_rows(run: EvaluationRun) -> None:
    """Store the rows that the models are asked, and how long an answer may be. Raises PortalError without any."""
    rows = held_out_rows(run.dataset_version, limit=run.rows_wanted)
    if not rows:
        raise PortalError("The dataset version has no rows to evaluate on.", code="evaluation:no_test_rows")
    EvaluationItem.objects.bulk_create(
        (_item(run, position, row) for position, row in enumerate(rows, 1)), batch_size=BATCH
    )
    run.answer_tokens = answer_length(rows)
    run.save(update_fields=["answer_tokens"])


def answer_length(rows: Iterable[HeldOutRow]) -> int:
    """Room for an answer, in tokens: a token is a byte or more, so the longest reference fits whatever the model."""
    longest = max((len(row.reference.encode()) for row in rows), default=0)
    return min(max(longest, MIN_NEW_TOKENS), MAX_NEW_TOKENS)


def _item(run: EvaluationRun, position: int, row: HeldOutRow) -> EvaluationItem:
    prompt = json.dumps([row.messages, row.tools], sort_keys=True) if row.messages else row.id
    return EvaluationItem(
        tenant_id=run.tenant_id,
        run=run,
        position=position,
        slice=row.slice,
        messages=row.messages,
        tools=row.tools,
        metadata=row.metadata,
        reference=row.reference,
        prompt_sha256=hashlib.sha256(prompt.encode()).hexdigest(),
        prompt_length=sum(len(str(message.get("content") or "")) for message in row.messages),
    )
