"""Moves ledger lines into the database, each exactly once.

A batch's rows, its hours and the next offset are written in one transaction, so the next collector continues where the
last commit ended, wherever the previous one died.
"""

import datetime as dt
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from lorakit.contracts import InvocationRecord
from lorakit.errors import ContractError
from metering.ledger.invocations import Row, insert_new, routed_of, row_of, seen_of
from metering.ledger.lock import take_turn
from metering.ledger.months import add_months, first_kept
from metering.ledger.rollup import add_to_roll_ups
from metering.models import LedgerFile
from serving.gateway.ledger import SUFFIX, is_finished
from serving.routing.hits import Routed
from serving.routing.hits import count as count_routed
from serving.trials.callers import Seen, count
from tenants.models import Tenant
from tenants.scope import system_scope

log = structlog.get_logger(__name__)

BATCH_BYTES = 16 << 20
KEPT_SECONDS = 86_400
AHEAD = dt.timedelta(days=1)
"""How far another machine's clock may be ahead of the database's."""


def collect(folder: Path | None = None) -> int:
    """Read every ledger to its end and return the number of added invocations. A second collector returns 0 at once."""
    folder = folder or settings.LEDGER_DIR
    added = 0
    with system_scope():
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            finished = is_finished(path)
            while (count := _collect_batch(path)) is not None:
                added += count
            if finished:
                _remove_if_old(path)
    return added


def _collect_batch(path: Path) -> int | None:
    """Store the next whole lines. None if there are none, or if another collector is running."""
    with transaction.atomic():
        if not take_turn():
            return None
        ledger, _ = LedgerFile.objects.get_or_create(name=path.name)
        with path.open("rb") as file:
            file.seek(ledger.offset)
            data = file.read(BATCH_BYTES)
        end = data.rfind(b"\n") + 1
        if end == 0:
            if len(data) < BATCH_BYTES:
                return None
            # No record is this long: whatever it is, the lines after it count.
            end = len(data)
        rows, broken = _read(data[:end].splitlines())
        add_months({day.replace(day=1) for day in {line.row.at.date() for line in rows}})
        new = insert_new([line.row for line in rows])
        add_to_roll_ups(new)
        added = {row.request_id for row in new}
        count(line.seen for line in rows if line.seen is not None and line.row.request_id in added)
        count_routed(line.routed for line in rows if line.routed is not None and line.row.request_id in added)
        ledger.offset += end
        ledger.broken_lines += broken
        ledger.save()
        if broken:
            log.warning("ledger_lines_broken", ledger=path.name, lines=broken)
        return len(new)


class Line(NamedTuple):
    """A line of a ledger: a row, what a trial saw of it, and where a router sent it."""

    row: Row
    seen: Seen | None
    routed: Routed | None


def _read(lines: Iterable[bytes]) -> tuple[list[Line], int]:
    """The lines that can be stored, and the number of others: unreadable, of no tenant, of the future, or too old."""
    rows: list[Line] = []
    broken = 0
    last = timezone.now() + AHEAD
    first = dt.datetime.combine(first_kept(), dt.time(), dt.UTC)
    for line in lines:
        if not line:
            continue
        try:
            record = InvocationRecord.from_json(line)
            row = row_of(record)
            rows.append(Line(row, seen_of(record, row), routed_of(record, row)))
        except (ContractError, ValueError, OverflowError):
            broken += 1
    named = {line.row.tenant_id for line in rows}
    tenants = {str(tenant_id) for tenant_id in Tenant.objects.filter(id__in=named).values_list("id", flat=True)}
    known = [line for line in rows if line.row.tenant_id in tenants and first <= line.row.at < last]
    return known, broken + len(rows) - len(known)


def _remove_if_old(path: Path) -> None:
    """Delete a file a day after its last line, once nobody writes to it and all of it is in the database."""
    if time.time() - path.stat().st_mtime < KEPT_SECONDS:
        return
    with transaction.atomic():
        ledger = LedgerFile.objects.select_for_update().filter(name=path.name).first()
        if ledger is not None and not _has_line_after(path, ledger.offset):
            ledger.delete()
            path.unlink()


def _has_line_after(path: Path, offset: int) -> bool:
    """Also False if a dying process left half a line, which nobody will finish."""
    with path.open("rb") as file:
        file.seek(offset)
        return b"\n" in file.read()
