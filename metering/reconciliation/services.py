"""Import a cloud's bill. It changes nothing that the site counted or shared."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import IO, Any

import structlog
from django.db import connection, transaction
from django.utils import timezone

from metering.models import BillImport, BillLayout, BillLine, BillSubject, Grain
from metering.reconciliation.errors import WrongBill
from metering.reconciliation.files import Chosen, Counted, read_rows
from metering.reconciliation.layouts import chosen, layout_of
from metering.reconciliation.ours import Ours, ours
from metering.reconciliation.rows import CREDITS, HIGHEST, BillRow, bill_row
from metering.usage.ranges import DAY, begin_of
from tenants.models import User

MOST_LINES = 500_000
PIECE = 1 << 20
LOCK = 0xB111

log = structlog.get_logger(__name__)

Key = tuple[Any, ...]
KEY = (
    "account", "month", "start", "end", "subject", "subject_name", "resource", "usage_type", "line_type", "region",
    "unit", "currency",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class BillFile:
    name: str
    file: IO[bytes]


def import_bill(*, files: Sequence[BillFile], imported_by: User | None) -> BillImport:
    """Import all files of a bill. The bills that they are of, by account and month, are replaced.

    Reads the files to their ends, so it runs outside a transaction. Raises WrongBill; then nothing is imported.
    """
    if not files:
        raise WrongBill("Choose a file.")
    known, sums = ours(), dict[Key, list[Decimal]]()
    layouts, counted, kept, digest = set[BillLayout](), Counted(), 0, hashlib.sha256()
    for one in files:
        for piece in iter(lambda: one.file.read(PIECE), b""):  # noqa: B023
            digest.update(piece)
        one.file.seek(0)
        for row in _rows(one, layouts, counted):
            kept += 1
            _add(sums, row, known)
    if len(layouts) != 1:
        raise WrongBill("These files are of different kinds. Import one bill at a time.")
    if not kept:
        raise WrongBill("The file has no lines of SageMaker.")
    periods = sorted({(str(key[0]), f"{key[1]:%Y-%m}") for key in sums})
    result = BillImport(
        imported_at=timezone.now(),
        imported_by=imported_by,
        file_names=", ".join(one.name for one in files).replace("\0", "")[:300],
        sha256=digest.hexdigest(),
        layout=layouts.pop(),
        periods=", ".join(" ".join(period) for period in periods)[:300],
        rows_read=counted.rows,
        rows_kept=kept,
    )
    _replace(result, sums)
    log.info("bill_imported", bill=str(result.id), rows=counted.rows, kept=kept, lines=len(sums))
    return result


def _rows(one: BillFile, layouts: set[BillLayout], counted: Counted) -> Iterator[BillRow]:
    def choose(names: Sequence[str]) -> Chosen:
        layouts.add(layout_of(names))
        return chosen(names)

    for number, row in read_rows(one.file, choose, counted):
        found = bill_row(row, number)
        if found is not None:
            yield found


def _add(sums: dict[Key, list[Decimal]], row: BillRow, known: Ours) -> None:
    subject, name = known.subject_of(row.resource)
    if row.is_long and subject != BillSubject.OTHER and row.line_type not in CREDITS:
        raise WrongBill("The bill is by the month. Export it by the hour or the day.")
    start, end, resource = row.start, row.end, row.resource
    if subject == BillSubject.OTHER:
        # Somebody else's endpoints are one line a day: how much, not which.
        start, resource = begin_of(Grain.DAY, start), ""
        end = start + DAY
    key = (row.account, row.month, start, end, subject, name, resource, row.usage_type, row.line_type, row.region,
           row.unit, row.currency)  # fmt: skip
    amounts = sums.get(key)
    if amounts is None:
        if len(sums) == MOST_LINES:
            raise WrongBill(f"The bill has more than {MOST_LINES:,} different lines of SageMaker.")
        amounts = sums[key] = [Decimal(0)] * 3
    for place, amount in enumerate((row.quantity, row.listed_cost, row.net_cost)):
        amounts[place] += amount
        if abs(amounts[place]) > HIGHEST:
            raise WrongBill(f"The amounts of {row.usage_type} are too large to be those of a bill.")


@transaction.atomic
def _replace(result: BillImport, sums: dict[Key, list[Decimal]]) -> None:
    with connection.cursor() as cursor:
        # Two imports of one bill at once would keep the lines of both.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    for account, month in {key[:2] for key in sums}:
        BillLine.objects.filter(account=account, month=month).delete()
    result.save(force_insert=True)
    lines = (_line(result, key, *amounts) for key, amounts in sums.items())
    BillLine.objects.bulk_create(lines, batch_size=2000)


def _line(result: BillImport, key: Key, quantity: Decimal, listed: Decimal, net: Decimal) -> BillLine:
    values = {**dict(zip(KEY, key, strict=True)), "quantity": quantity, "listed_cost": listed, "net_cost": net}
    return BillLine(bill_import=result, **values)
