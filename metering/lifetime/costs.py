"""Everything that the versions of the active tenant's adapters have cost since they were trained, in US dollars."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from adapters.models import AdapterVersion
from evaluations.models import EvaluationRun, Judging
from jobs.models import Job
from metering.costs.lines import MICRO_DOLLAR
from metering.costs.queries import costs_of
from metering.models import By, version_value
from metering.usage.figures import Figures
from metering.usage.queries import Slice, usage_of
from metering.usage.wanted import EARLIEST
from serving.models import Deployment


@dataclass(frozen=True, kw_only=True)
class Life:
    """What one version took. Amounts are None where no price is known of any part.

    `seconds_on_endpoints` is how long it was on endpoints, on all of them together; `unknown` counts the
    parts without a price: runs, judgings, and requests.
    """

    version: AdapterVersion
    figures: Figures = field(default_factory=Figures)
    training: Decimal | None = None
    evaluating: Decimal | None = None
    judging: Decimal | None = None
    seconds_on_endpoints: float = 0.0
    unknown: int = 0

    @property
    def total(self) -> Decimal:
        """Of what is known."""
        known = (amount for amount in (self.training, self.evaluating, self.judging) if amount is not None)
        return self.figures.cost + sum(known, Decimal(0))

    @property
    def per_request(self) -> Decimal | None:
        """The total by answered request; None without any."""
        return self.total / self.figures.answered if self.figures.answered else None

    @property
    def per_1000_tokens(self) -> Decimal | None:
        """The total by 1,000 tokens, read and written; None without any."""
        return self.total * 1000 / self.figures.tokens if self.figures.tokens else None

    @property
    def idle_share(self) -> float | None:
        """How much of what serving cost was idle time; None if nothing."""
        return float(self.figures.idle_cost / self.figures.cost) if self.figures.cost else None


@dataclass(frozen=True, kw_only=True)
class Lives:
    """All versions, the dearest first. With `rest`, what is of no version, they sum to all that was ever paid."""

    versions: Sequence[Life]
    total: Decimal

    @property
    def rest(self) -> Decimal:
        """Trainings that made no version, checks of datasets, requests to base models, tests of judges and the like."""
        return self.total - sum((life.total for life in self.versions), Decimal(0))


def lives() -> Lives:
    """Of every version that still exists. A constant number of queries."""
    start, now = EARLIEST, timezone.now()
    versions = list(AdapterVersion.objects.select_related("adapter", "run__job"))
    usage = _usage(Slice.touching(start, now))
    evaluations, judgings = _evaluations(), _judgings()
    there = _times_on_endpoints(now)
    found = [
        _life(version, usage, evaluations.get(version.id, []), judgings.get(version.id, []), there[version.id])
        for version in versions
    ]
    found.sort(key=lambda life: (-life.total, str(life.version)))
    return Lives(versions=found, total=costs_of(start, now).total_usd)


def _life(
    version: AdapterVersion,
    usage: Mapping[str, Figures],
    runs: Sequence[Job],
    judgings: Sequence[Decimal | None],
    there: dt.timedelta,
) -> Life:
    figures = usage.get(version_value(version.adapter.name, str(version.id)), Figures())
    training = [cost_of(version.run.job)]
    evaluating = [cost_of(job) for job in runs]
    unknown = sum(amount is None for amount in (*training, *evaluating, *judgings))
    return Life(
        version=version,
        figures=figures,
        training=_sum(training),
        evaluating=_sum(evaluating),
        judging=_sum(judgings),
        seconds_on_endpoints=there.total_seconds(),
        unknown=unknown + figures.unpriced,
    )


def _usage(wanted: Slice) -> dict[str, Figures]:
    return {line.name.value: line.figures for line in usage_of(wanted, By.VERSION).lines[:]}


def _evaluations() -> dict[UUID, list[Job]]:
    found: dict[UUID, list[Job]] = defaultdict(list)
    for run in EvaluationRun.objects.select_related("job"):
        if run.version_id is not None:
            found[run.version_id].append(run.job)
    return found


def _judgings() -> dict[UUID, list[Decimal | None]]:
    """What ended judgings of the versions' evaluations were charged."""
    found: dict[UUID, list[Decimal | None]] = defaultdict(list)
    ended = Judging.objects.exclude(Q(run__version=None) | Q(usage={}))
    for version_id, usage in ended.values_list("run__version", "usage"):
        usd = usage.get("cost_usd")
        found[version_id].append(None if usd is None else Decimal(str(usd)).quantize(MICRO_DOLLAR))
    return found


def _times_on_endpoints(now: dt.datetime) -> dict[UUID, dt.timedelta]:
    times: dict[UUID, dt.timedelta] = defaultdict(dt.timedelta)
    for version_id, begin, end in Deployment.objects.values_list("version", "in_service_at", "deleted_at"):
        if begin is not None:
            times[version_id] += (end or now) - begin
    return times


def cost_of(job: Job) -> Decimal | None:
    """In US dollars; None where its price is not known."""
    if not job.billable_seconds:
        return Decimal(0)
    if job.usd_per_hour is None:
        return None
    return (Decimal(job.billable_seconds) / 3600 * job.usd_per_hour).quantize(MICRO_DOLLAR)


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """Of those known; None if there are some, and none is known."""
    all_of_them = list(amounts)
    known = [amount for amount in all_of_them if amount is not None]
    return sum(known, Decimal(0)) if known or not all_of_them else None
