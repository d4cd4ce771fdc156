"""Lines of runs: training, evaluations and checks of datasets."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from django.db.models import OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from corpora.models import Upload
from metering.costs.lines import MICRO_DOLLAR, CostLine
from metering.costs.queries import NO_PRICE, TITLES, billed_jobs
from metering.costs.shares import largest_remainder
from metering.statements.parts.lines import MICROS, Line, hours, plain

OTHER = "Other runs"


class _Group(NamedTuple):
    """Runs of one kind at one price: a line of the costs page."""

    kind: str
    usd_per_hour: Decimal | None
    source: str


def job_lines(start: dt.datetime, end: dt.datetime, costs: Iterable[CostLine]) -> list[Line]:
    """The active tenant's runs by adapter or dataset. The amounts of a cost line's parts sum to it exactly."""
    known = {(line.kind, line.usd_per_hour, line.price_source): line.usd for line in costs}
    groups: dict[_Group, dict[str, float]] = defaultdict(dict)
    for kind, price, source, name, seconds in _seconds(start, end):
        parts = groups[_Group(kind, price, source if price is not None else NO_PRICE)]
        parts[name] = parts.get(name, 0.0) + seconds
    # A run that ended since the cost lines were read has none.
    return [
        line for group, parts in groups.items() for line in _lines(group, parts, known.get(group) or _usd(group, parts))
    ]


def _usd(group: _Group, parts: dict[str, float]) -> Decimal | None:
    if group.usd_per_hour is None:
        return None
    return (Decimal(sum(parts.values())) / 3600 * group.usd_per_hour).quantize(MICRO_DOLLAR)


def _seconds(start: dt.datetime, end: dt.datetime) -> Iterable[tuple[str, Decimal | None, str, str, float]]:
    upload = Upload.objects.filter(job=OuterRef("pk"))
    name = Coalesce(
        "training_run__adapter__name",
        "evaluation_run__version__adapter__name",
        "dataset_version__dataset__name",
        "evaluation_run__dataset_version__dataset__name",
        Subquery(upload.values("dataset__name")[:1]),
        Subquery(upload.values("dataset_name")[:1]),
    )
    jobs = billed_jobs(start, end).annotate(name=name).order_by("kind", "price_source", "usd_per_hour", "name")
    sums = jobs.values_list("kind", "usd_per_hour", "price_source", "name").annotate(Sum("billable_seconds"))
    return ((kind, price, source, name or OTHER, seconds) for kind, price, source, name, seconds in sums)


def _lines(group: _Group, parts: dict[str, float], usd: Decimal | None) -> Iterable[Line]:
    amounts: list[int] | list[None] = [None] * len(parts)
    if usd is not None:
        weights = [max(1, round(seconds * MICROS)) for seconds in parts.values()]
        amounts = largest_remainder(int(usd * MICROS), weights)
    for (name, seconds), micros in zip(parts.items(), amounts, strict=True):
        yield Line(
            kind=group.kind,
            group=name,
            title=TITLES.get(group.kind, group.kind.replace("_", " ").capitalize()),
            quantity=hours(seconds),
            unit="hour",
            unit_price=plain(group.usd_per_hour) if group.usd_per_hour is not None else "",
            price_source=group.source,
            micros=micros,
        )
