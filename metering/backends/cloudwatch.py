"""Amazon CloudWatch: what SageMaker publishes of inference components and endpoints, and what their engines do."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, TypeVar

import boto3
import structlog
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials

from metering.backends.base import ENGINE_FIGURES, EndpointHour, ObservedHour, Place, Reading, UsageSource
from metering.backends.errors import UsageSourceError
from metering.backends.metric_data import MetricData, Points, Statistic
from metering.backends.promql import PromQL

CLIENT = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 5})
ENGINE_SINCE = dt.timedelta(days=3)
"""Engines' metrics are not asked for of earlier hours: each query scans a day at most."""

SAGEMAKER = "AWS/SageMaker"
OF_COMPONENTS = "/aws/sagemaker/InferenceComponents"
OF_ENDPOINTS = "/aws/sagemaker/Endpoints"
MILLISECOND = 1e-3
"""SageMaker's latencies are in microseconds."""

log = structlog.get_logger(__name__)
H = TypeVar("H", bound=ObservedHour)


@dataclass(frozen=True)
class Figure:
    """Where a figure of an hour comes from, and what its values are multiplied by."""

    name: str
    metric: str
    stat: str
    factor: float = 1.0
    namespace: str = SAGEMAKER

    def of(self, **dimensions: str) -> Statistic:
        return Statistic(self.namespace, self.metric, self.stat, tuple(dimensions.items()))


COUNTED = (
    Figure("requests", "Invocations", "Sum"),
    Figure("errors_4xx", "Invocation4XXErrors", "Sum"),
    Figure("errors_5xx", "Invocation5XXErrors", "Sum"),
    Figure("model_errors", "InvocationModelErrors", "Sum"),
    Figure("p50_ms", "ModelLatency", "p50", MILLISECOND),
    Figure("p95_ms", "ModelLatency", "p95", MILLISECOND),
    Figure("p99_ms", "ModelLatency", "p99", MILLISECOND),
    Figure("mean_ms", "ModelLatency", "Average", MILLISECOND),
    Figure("overhead_ms", "OverheadLatency", "Average", MILLISECOND),
)
OF_VARIANT = (
    *COUNTED,
    Figure("first_chunk_p50_ms", "FirstChunkLatency", "p50", MILLISECOND),
    Figure("first_chunk_p95_ms", "FirstChunkLatency", "p95", MILLISECOND),
    Figure("stream_errors", "MidStreamErrors", "Sum"),
    Figure("disk_percent", "DiskUtilization", "Average", namespace=OF_ENDPOINTS),
)
OF_BASE = (
    Figure("no_capacity", "NoCapacityInvocationFailures", "Sum"),
    Figure("concurrency", "ConcurrentRequestsPerCopy", "Maximum"),
    Figure("cpu_percent", "CPUUtilizationNormalized", "Average", namespace=OF_COMPONENTS),
    Figure("memory_percent", "MemoryUtilizationNormalized", "Average", namespace=OF_COMPONENTS),
    Figure("gpu_percent", "GPUUtilizationNormalized", "Average", namespace=OF_COMPONENTS),
    Figure("gpu_memory_percent", "GPUMemoryUtilizationNormalized", "Average", namespace=OF_COMPONENTS),
)
WHOLE = frozenset(
    {"requests", "errors_4xx", "errors_5xx", "model_errors", "stream_errors", "no_capacity", "prompt_tokens",
     "completion_tokens"}
)  # fmt: skip
"""Figures that are numbers of something."""

ENGINE_METRICS = {
    "first_token": "vllm:time_to_first_token_seconds_bucket",
    "token_gap": "vllm:inter_token_latency_seconds_bucket",
    "cache": "vllm:kv_cache_usage_perc",
    "waiting": "vllm:num_requests_waiting",
    "prompt_tokens": "vllm:prompt_tokens_total",
    "completion_tokens": "vllm:generation_tokens_total",
}
"""The engine's names by what they mean. AWS's pages disagree about them, so sites may give others."""


class CloudWatch(UsageSource):
    """Options: REGION; ENDPOINT_URL in place of AWS's addresses; VARIANT of the endpoints; PROMQL_PATH;
    ENGINE_METRICS, names over those of vLLM, empty for a metric that is not to be read; COMPONENT_LABEL, by which
    engines' metrics name the base's component."""

    title = "Amazon CloudWatch"
    options: ClassVar[dict[str, Any]] = {
        **UsageSource.options,
        "REGION": "",
        "ENDPOINT_URL": "",
        "VARIANT": "AllTraffic",
        "PROMQL_PATH": "/api/v1",
        "ENGINE_METRICS": {},
        "COMPONENT_LABEL": "aws.sagemaker.inference_component.name",
        "PAUSE_SECONDS": 0.5,
    }

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        super().__init__(alias, options)
        merged = {**self.options, **options}
        unknown = sorted(set(merged["ENGINE_METRICS"]) - set(ENGINE_METRICS))
        if unknown:
            raise ValueError(f"USAGE_SOURCES[{alias!r}] has unknown ENGINE_METRICS: {', '.join(unknown)}")
        self._session = boto3.Session(region_name=merged["REGION"] or None)
        if not self._session.region_name:
            raise ValueError(f"USAGE_SOURCES[{alias!r}] needs the option REGION, or AWS_DEFAULT_REGION")
        self._url = merged["ENDPOINT_URL"] or None
        self._path = str(merged["PROMQL_PATH"]).rstrip("/")
        self._variant = str(merged["VARIANT"])
        self._names = {**ENGINE_METRICS, **merged["ENGINE_METRICS"]}
        self._label = str(merged["COMPONENT_LABEL"])
        self._pause = float(merged["PAUSE_SECONDS"])

    def components(
        self, names: Sequence[str], start: dt.datetime, end: dt.datetime
    ) -> Mapping[str, Reading[ObservedHour]]:
        wanted = {name: {figure: figure.of(InferenceComponentName=name) for figure in COUNTED} for name in names}
        found = self._data.read([one for of in wanted.values() for one in of.values()], start, end)
        return {
            name: _reading(ObservedHour, {figure: found[one] for figure, one in of.items()})
            for name, of in wanted.items()
        }

    def endpoint(self, place: Place, start: dt.datetime, end: dt.datetime) -> Reading[EndpointHour]:
        wanted = {figure: figure.of(EndpointName=place.endpoint, VariantName=self._variant) for figure in OF_VARIANT}
        wanted |= {figure: figure.of(InferenceComponentName=place.base) for figure in OF_BASE}
        found = self._data.read(list(wanted.values()), start, end)
        figures = {figure: found[one] for figure, one in wanted.items()}
        return _reading(EndpointHour, figures, self._engine(place, start, end))

    def _engine(self, place: Place, start: dt.datetime, end: dt.datetime) -> Mapping[str, Points | None]:
        """The engine's own figures of the hours that are over; None for all of them if they cannot be read.

        Detailed observability may be off, or the right to query missing, without harm to what SageMaker counts.
        """
        now = dt.datetime.now(dt.UTC)
        this_hour = now.replace(minute=0, second=0, microsecond=0)
        start, end = max(start, this_hour - ENGINE_SINCE), min(end, this_hour)
        if start >= end:
            return dict.fromkeys(ENGINE_FIGURES)
        try:
            return {
                name: {hour: value * factor for hour, value in self._promql.by_hour(query, start, end).items()}
                for name, query, factor in self._queries(place.base)
            }
        except UsageSourceError as error:
            log.warning("engine_metrics_not_read", endpoint=place.endpoint, code=error.code, error=error.text)
            return dict.fromkeys(ENGINE_FIGURES)

    def _queries(self, base: str) -> Iterable[tuple[str, str, float]]:
        """Figure, query and factor of each of the engine's metrics that is read."""
        of_base = f'"{self._label}"="{base}"'
        series = {what: f'{{"{name}", {of_base}}}[1h]' for what, name in self._names.items() if name}
        asked: dict[str, tuple[str, Callable[[str], str], float]] = {
            "first_token_p50_ms": ("first_token", lambda one: self._quantile(0.5, one), 1e3),
            "first_token_p95_ms": ("first_token", lambda one: self._quantile(0.95, one), 1e3),
            "token_gap_p50_ms": ("token_gap", lambda one: self._quantile(0.5, one), 1e3),
            "token_gap_p95_ms": ("token_gap", lambda one: self._quantile(0.95, one), 1e3),
            "cache_percent": ("cache", lambda one: f"max(max_over_time({one}))", 100.0),
            "waiting": ("waiting", lambda one: f"max(max_over_time({one}))", 1.0),
            "prompt_tokens": ("prompt_tokens", lambda one: f"sum(increase({one}))", 1.0),
            "completion_tokens": ("completion_tokens", lambda one: f"sum(increase({one}))", 1.0),
        }
        for name, (what, query, factor) in asked.items():
            if what in series:
                yield name, query(series[what]), factor

    def _quantile(self, share: float, series: str) -> str:
        """Of a histogram in buckets by `le`, or of one that is a single metric."""
        by = " by (le)" if '_bucket"' in series else ""
        return f"histogram_quantile({share}, sum{by} (rate({series})))"

    def _credentials(self) -> ReadOnlyCredentials:
        credentials = self._session.get_credentials()
        if credentials is None:
            raise UsageSourceError("platform:aws_credentials", "AWS credentials are missing.", temporary=False)
        frozen: ReadOnlyCredentials = credentials.get_frozen_credentials()
        return frozen

    @cached_property
    def _client(self) -> Any:
        return self._session.client("cloudwatch", endpoint_url=self._url, config=CLIENT)

    @cached_property
    def _data(self) -> MetricData:
        return MetricData(self._client, pause=self._pause)

    @cached_property
    def _promql(self) -> PromQL:
        url = f"{str(self._client.meta.endpoint_url).rstrip('/')}{self._path}"
        return PromQL(url, str(self._session.region_name), self._credentials, pause=self._pause)


def _reading(
    kind: type[H], figures: Mapping[Figure, Points | None], engine: Mapping[str, Points | None] | None = None
) -> Reading[H]:
    """Hours that have at least one figure."""
    named: dict[str, Points | None] = dict(engine or {})
    for figure, points in figures.items():
        scaled = points and {hour: value * figure.factor for hour, value in points.items()}
        named[figure.name] = scaled
    hours: dict[dt.datetime, dict[str, Any]] = {}
    for name, points in named.items():
        for hour, value in (points or {}).items():
            hours.setdefault(hour, {})[name] = round(value) if name in WHOLE else value
    missing = frozenset(name for name, points in named.items() if points is None)
    return Reading(hours=tuple(kind(hour=hour, **hours[hour]) for hour in sorted(hours)), missing=missing)
