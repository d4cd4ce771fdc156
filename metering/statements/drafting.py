"""Makes the document of a statement from what is known now."""

import datetime as dt

from evaluations.models import CallPurpose
from metering.costs.queries import costs_of
from metering.statements.adjustments import adjustment_lines
from metering.statements.document import CURRENCY, Document
from metering.statements.months import end_of, key_of, start_of
from metering.statements.parts.jobs import job_lines
from metering.statements.parts.judging import judge_lines
from metering.statements.parts.lines import ADJUSTMENT, Line
from metering.statements.parts.serving import serving_lines, sharing_text
from metering.statements.parts.storage import storage_lines
from tenants.models import Tenant


def number_of(tenant: Tenant, month: dt.date) -> str:
    """As in "acme-2026-10"."""
    return f"{tenant.slug}-{key_of(month)}"


def drafted(tenant: Tenant, month: dt.date, *, closed_at: dt.datetime | None = None) -> Document:
    """The statement of the active tenant. Its charges without adjustments are those of the costs page."""
    start, end = start_of(month), end_of(month)
    costs = costs_of(start, end)
    lines = [
        *serving_lines(start, end),
        *job_lines(start, end, costs.lines),
        *judge_lines(costs.judges),
        *storage_lines(start, end),
        *adjustment_lines(month),
    ]
    return Document(
        number=number_of(tenant, month),
        organisation=tenant.name,
        month=key_of(month),
        currency=CURRENCY,
        sharing=sharing_text(start, end),
        lines=sorted(lines, key=_order),
        closed_at=closed_at.astimezone(dt.UTC).isoformat(timespec="seconds") if closed_at else "",
    )


def _order(line: Line) -> tuple[bool, bool, str]:
    """Adapters and datasets by name, then judges, then adjustments; each with its lines as they were made."""
    return line.kind == ADJUSTMENT, line.kind in CallPurpose.values, line.group.casefold()
