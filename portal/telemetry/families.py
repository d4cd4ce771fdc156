"""Counts of the database as Prometheus's families: the same whichever process is asked."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.db.models import CharField, Count, F, Func, Min, Q, Sum, Value
from django.db.models.functions import Now
from django.utils import timezone
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from jobs.models import Job
from jobs.states import TERMINAL, State
from metering.ledger.sketches import quantiles
from metering.models import By, EndpointHour, Grain, LedgerFile, RollUp, UsageTotal
from metering.usage.figures import MICROS
from metering.usage.ranges import begin_of
from serving.models import HELD, Deployment
from tenants.models import DeliveryState, Tenant, WebhookDelivery
from tenants.scope import system_scope

MOST_MODELS = 1_000
"""Models with series of their own, the busiest; the others of an organisation are `other` together."""
OTHER = "other"
OUTCOMES = ("answered", "refused", "limited", "failed", "disconnected")
TOKENS = ("prompt_tokens", "cached_tokens", "completion_tokens")
QUANTILES = (0.5, 0.95, 0.99)
MODEL = Func(F("value"), Value("/"), Value(1), function="split_part", output_field=CharField())
NAMES = {"prompt_tokens": "prompt", "cached_tokens": "cached", "completion_tokens": "completion"}


class DatabaseCollector(Collector):
    """Reads the whole site's tables when it is asked, in a constant number of queries."""

    def collect(self) -> Iterator[Metric]:
        """Everything that is told of the site."""
        with system_scope():
            yield from _usage()
            yield from _latencies()
            yield from _endpoints()
            yield from _jobs()
            yield from _deliveries()


@dataclass
class _Totals:
    """Of one model of one organisation."""

    sums: dict[str, int] = field(default_factory=lambda: dict.fromkeys(RollUp.SUMS, 0))

    def add(self, sums: Iterable[tuple[str, int]]) -> None:
        for name, value in sums:
            self.sums[name] += value

    @property
    def answered(self) -> int:
        return self.sums["requests"] - sum(self.sums[name] for name in OUTCOMES[1:])


def _usage() -> Iterator[Metric]:
    requests = _counter("requests", "Requests to the gateway.", "organisation", "model", "outcome")
    tokens = _counter("tokens", "Tokens read and written; cached ones are part of the prompts'.", "organisation",
                      "model", "kind")  # fmt: skip
    serving = _counter("serving_usd", "What serving cost, used and idle.", "organisation", "model", "part")
    text = "Requests whose hour is not shared yet, or has no price."
    unpriced = _gauge("requests_without_cost", text, "organisation", "model")
    for (organisation, model), totals in _totals().items():
        names = (organisation, model)
        for outcome in OUTCOMES:
            count = totals.answered if outcome == "answered" else totals.sums[outcome]
            requests.add_metric((*names, outcome), count)
        for kind in TOKENS:
            tokens.add_metric((*names, NAMES[kind]), totals.sums[kind])
        for part in ("used", "idle"):
            serving.add_metric((*names, part), totals.sums[f"{part}_micros"] / MICROS)
        unpriced.add_metric(names, totals.sums["unpriced"])
    yield from (requests, tokens, serving, unpriced)


def _totals() -> dict[tuple[str, str], _Totals]:
    """By organisation and model, the busiest first."""
    slugs = dict(Tenant.objects.values_list("id", "slug"))
    months = UsageTotal.objects.filter(tenant__in=list(slugs), by=By.VERSION, grain=Grain.MONTH).order_by()
    summed = months.annotate(model=MODEL).values_list("tenant_id", "model")
    rows = summed.annotate(*(Sum(name) for name in RollUp.SUMS))
    found: dict[tuple[str, str], _Totals] = defaultdict(_Totals)
    # The first of the sums is the number of requests.
    for place, (tenant_id, model, *sums) in enumerate(sorted(rows, key=lambda row: -row[2])):
        name = model if place < MOST_MODELS else OTHER
        found[slugs[tenant_id], name].add(zip(RollUp.SUMS, sums, strict=True))
    return found


def _latencies() -> Iterator[Metric]:
    family = _gauge("request_seconds", "Time of answered requests of the hour that runs.", "organisation", "quantile")
    slugs = dict(Tenant.objects.values_list("id", "slug"))
    hour = begin_of(Grain.HOUR, timezone.now())
    totals = UsageTotal.objects.filter(tenant__in=list(slugs), by=By.ALL, grain=Grain.HOUR, start=hour)
    for tenant_id, sketch in totals.values_list("tenant_id", "latency_sketch"):
        for share, value in zip(QUANTILES, quantiles([sketch], QUANTILES), strict=True):
            if value is not None:
                family.add_metric((slugs[tenant_id], str(share)), value / 1000)
    yield family


def _endpoints() -> Iterator[Metric]:
    cost = _counter("endpoint_usd", "What endpoints cost, by who bears it.", "endpoint", "part")
    hours = _counter("endpoint_instance_seconds", "How long instances of endpoints ran.", "endpoint")
    unknown = _gauge("endpoint_hours_without_price", "Hours whose price is not known.", "endpoint")
    waiting = _gauge("endpoint_hours_to_share", "Hours whose cost is to be shared.", "endpoint")
    rows = EndpointHour.objects.order_by("endpoint").values("endpoint").annotate(
        used=Sum("used_micros"), idle=Sum("idle_micros"), operator=Sum("operator_micros"), ms=Sum("instance_ms"),
        unknown=Count("hour", filter=Q(price_per_hour=None)), due=Count("hour", filter=Q(allocated_at=None)),
    )  # fmt: skip
    for row in rows:
        for part in ("used", "idle", "operator"):
            cost.add_metric((row["endpoint"], part), row[part] / MICROS)
        hours.add_metric((row["endpoint"],), row["ms"] / 1000)
        unknown.add_metric((row["endpoint"],), row["unknown"])
        waiting.add_metric((row["endpoint"],), row["due"])
    deployments = _gauge("deployments", "Versions on endpoints.", "endpoint", "state")
    held = Deployment.objects.filter(state__in=HELD).order_by().values_list("endpoint__name", "state")
    for endpoint, state, count in held.annotate(Count("id")):
        deployments.add_metric((endpoint, state), count)
    yield from (cost, hours, unknown, waiting, deployments)
    collected = _gauge("ledger_read_timestamp_seconds", "When the gateway's ledger was last read further.")
    last = LedgerFile.objects.order_by("-updated_at").values_list("updated_at", flat=True).first()
    if last is not None:
        collected.add_metric((), last.timestamp())
    yield collected


def _jobs() -> Iterator[Metric]:
    now = _gauge("jobs", "Jobs that have not ended.", "kind", "state")
    ended = _counter("jobs_ended", "Jobs that have ended.", "kind", "state")
    billed = _counter("job_seconds", "Time of jobs that was billed.", "kind")
    seconds: dict[str, float] = defaultdict(float)
    rows = Job.objects.order_by("kind", "state").values_list("kind", "state")
    for kind, state, count, billable in rows.annotate(Count("id"), Sum("billable_seconds")):
        (ended if state in TERMINAL else now).add_metric((kind, state), count)
        seconds[kind] += billable
    for kind, total in seconds.items():
        billed.add_metric((kind,), total)
    waiting = _gauge("oldest_queued_job_seconds", "How long the oldest queued job has waited.")
    oldest = Job.objects.filter(state=State.QUEUED).aggregate(since=Min("created_at"), now=Min(Now()))
    waiting.add_metric((), (oldest["now"] - oldest["since"]).total_seconds() if oldest["since"] else 0.0)
    yield from (now, ended, billed, waiting)


def _deliveries() -> Iterator[Metric]:
    family = _gauge("webhook_deliveries", "Deliveries to webhooks that were not received.", "state")
    missing = WebhookDelivery.objects.exclude(state=DeliveryState.DELIVERED).order_by().values_list("state")
    counts = dict(missing.annotate(Count("id")))
    for state in (DeliveryState.WAITING, DeliveryState.FAILED):
        family.add_metric((state.value,), counts.get(state, 0))
    yield family


def _counter(name: str, text: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"adapter_portal_{name}", text, labels=labels)


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"adapter_portal_{name}", text, labels=labels)
