"""The ledger's records as rows of invocations."""

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from lorakit.contracts import InvocationRecord
from metering.ledger.arrays import is_plain, unnested
from metering.models import Invocation
from serving.routing.hits import Routed
from serving.trials.callers import Seen

MOST_TOKENS = 2**31 - 1
MOST_MS = 1e10

# The same tenants, keys and versions are named again and again.
_uuid = lru_cache(10_000)(UUID)


@lru_cache(10_000)
def _id(text: str) -> str:
    """As the database spells it. Raises ValueError."""
    return str(UUID(text))


class Row(NamedTuple):
    """The columns of an invocation; ids as text."""

    tenant_id: str
    at: dt.datetime
    request_id: str
    key_id: str | None
    alias: str
    version_id: str | None
    endpoint: str
    deployment: str
    status: int
    error_code: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    latency_ms: float
    first_token_ms: float | None
    queue_ms: float | None
    busy_ms: float
    cold_start: bool
    streamed: bool


def row_of(record: InvocationRecord) -> Row:
    """Raises ValueError or OverflowError for a value that does not fit its column."""
    deployment = record.deployment or ""
    if len(record.request_id) > 40 or len(record.alias) > 80 or len(deployment) > 63 or len(record.endpoint) > 50:
        raise ValueError("a text is too long")
    if not is_plain(f"{record.request_id}{record.alias}{deployment}{record.endpoint}{record.error_code}"):
        raise ValueError("a text has control characters")
    tokens = max(record.prompt_tokens, record.cached_tokens, record.completion_tokens)
    times = record.latency_ms, record.first_token_ms or 0.0, record.queue_ms or 0.0, record.busy_ms
    if not 0 <= record.status < 1000 or tokens > MOST_TOKENS or max(times) > MOST_MS or min(times) < -MOST_MS:
        raise ValueError("a number is out of range")
    return Row(
        tenant_id=_id(record.tenant_id),
        at=dt.datetime.fromtimestamp(record.at, dt.UTC),
        request_id=record.request_id,
        key_id=_id(record.key_id) if record.key_id else None,
        alias=record.alias,
        version_id=_id(record.version_id) if record.version_id else None,
        endpoint=record.endpoint,
        deployment=deployment,
        status=record.status,
        error_code=record.error_code[:80],
        prompt_tokens=record.prompt_tokens,
        cached_tokens=record.cached_tokens,
        completion_tokens=record.completion_tokens,
        latency_ms=record.latency_ms,
        first_token_ms=record.first_token_ms,
        queue_ms=record.queue_ms,
        busy_ms=record.busy_ms,
        cold_start=record.cold_start,
        streamed=record.streamed,
    )


def seen_of(record: InvocationRecord, row: Row) -> Seen | None:
    """What a trial counts of it, None where none ran. Raises ValueError for a trial that is no id."""
    if record.trial_id is None:
        return None
    return Seen(
        tenant_id=_uuid(row.tenant_id),
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
    return Routed(_uuid(row.tenant_id), record.router, hour, record.routed_by, record.rule_id, row.alias)


def insert_new(rows: Sequence[Row]) -> list[Row]:
    """Insert the rows that are not there yet, and return them: a copied ledger counts nothing twice."""
    if not rows:
        return []
    source, parameters = unnested(Invocation, dict(zip(Row._fields, zip(*rows, strict=True), strict=True)))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Invocation._meta.db_table} ({', '.join(Row._fields)}) SELECT * FROM {source}"  # noqa: S608
            " ON CONFLICT (tenant_id, at, request_id) DO NOTHING RETURNING tenant_id, request_id",
            parameters,
        )
        if cursor.rowcount == len(rows):
            return list(rows)
        inserted = {(str(tenant_id), request_id) for tenant_id, request_id in cursor.fetchall()}
    first: dict[tuple[str, str], Row] = {}
    for row in rows:
        first.setdefault((row.tenant_id, row.request_id), row)
    return [row for key, row in first.items() if key in inserted]
