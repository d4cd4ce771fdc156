"""The ledger's records as rows of invocations."""

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from lorakit.contracts import InvocationRecord
from metering.models import Invocation
from serving.routing.hits import Routed
from serving.trials.callers import Seen

MOST_TOKENS = 2**31 - 1

# The same tenants, keys and versions are named again and again.
_uuid = lru_cache(10_000)(UUID)


class Row(NamedTuple):
    """The columns of an invocation that its record tells."""

    tenant_id: UUID
    request_id: str
    at: dt.datetime
    key_id: UUID | None
    alias: str
    version_id: UUID | None
    deployment: str
    status: int
    error_code: str
    prompt_tokens: int
    completion_tokens: int
    latency_ms: float
    first_token_ms: float | None
    busy_ms: float
    streamed: bool


def row_of(record: InvocationRecord) -> Row:
    """Raises ValueError or OverflowError for a value that does not fit its column."""
    texts = (record.request_id, record.alias, record.deployment or "", record.error_code)
    if any(len(text) > limit for text, limit in zip(texts, (40, 80, 63), strict=False)) or "\0" in "".join(texts):
        raise ValueError("unknown record format")
    if not 0 <= record.status < 1000 or max(record.prompt_tokens, record.completion_tokens) > MOST_TOKENS:
        raise ValueError("unknown record format")
    return Row(
        tenant_id=_uuid(record.tenant_id),
        request_id=record.request_id,
        at=dt.datetime.fromtimestamp(record.at, dt.UTC),
        key_id=_uuid(record.key_id) if record.key_id else None,
        alias=record.alias,
        version_id=_uuid(record.version_id) if record.version_id else None,
        deployment=record.deployment or "",
        status=record.status,
        error_code=record.error_code[:80],
        prompt_tokens=record.prompt_tokens,
        completion_tokens=record.completion_tokens,
        latency_ms=record.latency_ms,
        first_token_ms=record.first_token_ms,
        busy_ms=record.busy_ms,
        streamed=record.streamed,
    )


def seen_of(record: InvocationRecord, row: Row) -> Seen | None:
    """What a trial counts of it, None where none ran. Raises ValueError for a trial that is no id."""
    if record.trial_id is None:
        return None
    return Seen(
        tenant_id=row.tenant_id,
        trial_id=_uuid(record.trial_id),
        caller=record.caller,
        at=row.at,
        status=row.status,
        latency_ms=row.latency_ms,
        failed_over=record.failed_over,
    )


def routed_of(record: InvocationRecord, row: Row) -> Routed | None:
    """What a router counts of it, None where the caller named the model."""
    if not record.router or not record.routed_by or "\0" in f"{record.router}{record.routed_by}{record.rule_id}":
        return None
    hour = row.at.replace(minute=0, second=0, microsecond=0)
    return Routed(row.tenant_id, record.router, hour, record.routed_by, record.rule_id, row.alias)


def insert_new(rows: Sequence[Row]) -> list[Row]:
    """Insert the rows whose request ids are not there yet, and return them: a copied ledger counts nothing twice."""
    if not rows:
        return []
    types = {field.column: field.db_type(connection) for field in Invocation._meta.local_concrete_fields}
    columns = ", ".join(Row._fields)
    # One array for each column: the statement stays the same however many rows there are, and COPY knows no row-level
    # security.
    arrays = ", ".join(f"%s::{types[name]}[]" for name in Row._fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Invocation._meta.db_table} (id, created_at, {columns})"  # noqa: S608
            f" SELECT gen_random_uuid(), now(), * FROM unnest({arrays})"
            " ON CONFLICT (tenant_id, request_id) DO NOTHING RETURNING tenant_id, request_id",
            [list(column) for column in zip(*rows, strict=True)],
        )
        if cursor.rowcount == len(rows):
            return list(rows)
        inserted = set(cursor.fetchall())
    first: dict[tuple[UUID, str], Row] = {}
    for row in rows:
        first.setdefault((row.tenant_id, row.request_id), row)
    return [row for key, row in first.items() if key in inserted]
