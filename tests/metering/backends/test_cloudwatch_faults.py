"""CloudWatch that throttles, answers in parts, refuses, or is away."""

import datetime as dt
from collections.abc import Iterator

import pytest
from botocore.config import Config

from metering.backends.base import ENGINE_FIGURES, Place
from metering.backends.cloudwatch import CloudWatch
from metering.backends.errors import UsageSourceError
from standin.clock import ManualClock
from standin.faults import Faults, MetricFaults
from standin.server import StandIn
from tests.metering.backends.published import HOUR, answer, moment, publishing, source_at

PLACE = Place(endpoint="shared", base="base")
CLIENT = Config(retries={"total_max_attempts": 1})


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StandIn, ManualClock]]:
    """Ten components that were asked once in each of ten hours."""
    with publishing(tmp_path_factory.mktemp("faults")) as (standin, clock):
        for _ in range(10):
            for number in range(10):
                answer(standin, f"c{number}", ms=10.0 * (number + 1))
            clock.advance(3600)
        clock.advance(120)
        yield standin, clock


@pytest.fixture
def standin(served: tuple[StandIn, ManualClock]) -> Iterator[StandIn]:
    yield served[0]
    served[0].faults = Faults()
    served[0].hosting.metric_data.faults = MetricFaults()


@pytest.fixture
def hours(served: tuple[StandIn, ManualClock]) -> tuple[dt.datetime, dt.datetime]:
    end = moment(served[1]).replace(minute=0, second=0)
    return end - 12 * HOUR, end


@pytest.fixture(scope="module")
def source(served: tuple[StandIn, ManualClock]) -> CloudWatch:
    return source_at(served[0])


Range = tuple[dt.datetime, dt.datetime]
NAMES = [f"c{number}" for number in range(10)]


def test_every_page_is_appended_to_its_metric(standin: StandIn, source: CloudWatch, hours: Range) -> None:
    whole = source.components(NAMES, *hours)
    assert all(len(reading.hours) == 10 for reading in whole.values())
    standin.hosting.metric_data.faults.page_points = 40
    assert source.components(NAMES, *hours) == whole


def test_more_is_asked_than_one_call_takes(standin: StandIn, source: CloudWatch, hours: Range) -> None:
    names = [*NAMES, *(f"other-{number}" for number in range(60))]
    found = source.components(names, *hours)
    assert [len(found[name].hours) for name in names] == [10] * 10 + [0] * 60
    long_ago = hours[1] - dt.timedelta(days=450)
    assert len(source.components(names, long_ago, hours[1])["c9"].hours) == 10


def test_an_internal_error_is_asked_again_and_then_missing(standin: StandIn, source: CloudWatch, hours: Range) -> None:
    faults = standin.hosting.metric_data.faults
    faults.internal_errors = {"OverheadLatency": 3}
    reading = source.components(["c0"], *hours)["c0"]
    assert reading.is_complete
    assert all(hour.overhead_ms == 2.0 for hour in reading.hours)
    faults.internal_errors = {"OverheadLatency": 4}
    reading = source.components(["c0"], *hours)["c0"]
    assert reading.missing == frozenset({"overhead_ms"})
    assert not reading.is_complete
    assert [hour.requests for hour in reading.hours] == [1] * 10


def test_a_little_throttling_is_waited_out(standin: StandIn, source: CloudWatch, hours: Range) -> None:
    standin.faults = Faults(throttled=0.3, seed=1)
    assert len(source.components(["c0"], *hours)["c0"].hours) == 10
    assert standin.faults.count["throttled"] > 0


@pytest.mark.parametrize(
    ("faults", "code", "is_temporary"),
    [
        (Faults(throttled=1.0), "platform:aws_throttled", True),
        (Faults(denied={"monitoring"}), "platform:aws_denied", False),
        (Faults(away={"monitoring"}), "platform:aws_unreachable", True),
    ],
)
def test_what_it_cannot_do_is_told(
    standin: StandIn, hours: Range, monkeypatch: pytest.MonkeyPatch, faults: Faults, code: str, is_temporary: bool
) -> None:
    # botocore waits longer and longer between its tries.
    monkeypatch.setattr("metering.backends.cloudwatch.CLIENT", CLIENT)
    standin.faults = faults
    with pytest.raises(UsageSourceError) as error:
        source_at(standin).components(["c0"], *hours)
    assert (error.value.code, error.value.temporary) == (code, is_temporary)


def test_a_metric_that_may_not_be_read_is_no_gap(standin: StandIn, source: CloudWatch, hours: Range) -> None:
    standin.hosting.metric_data.faults.forbidden = {"Invocation5XXErrors"}
    with pytest.raises(UsageSourceError, match="Invocation5XXErrors") as error:
        source.components(["c0"], *hours)
    assert not error.value.temporary


def test_nothing_published_in_an_hour_is_a_gap(standin: StandIn, source: CloudWatch, hours: Range) -> None:
    start = hours[0] + 4 * HOUR
    standin.hosting.metric_data.faults.gaps = [(start.timestamp(), (start + 2 * HOUR).timestamp())]
    found = source.components(["c0"], *hours)["c0"].hours
    assert {hour.hour for hour in found}.isdisjoint({start, start + HOUR})
    assert len(found) == 8


def test_without_credentials(standin: StandIn, hours: Range, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    with pytest.raises(UsageSourceError) as error:
        source_at(standin).components(["c0"], *hours)
    assert error.value.code == "platform:aws_credentials"


class TestEngine:
    """Figures that the engine gives, by PromQL."""

    @pytest.fixture
    def scraped(self, standin: StandIn) -> Range:
        """Three hours up to now in which an engine was scraped, as the machine's clock has it."""
        end = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0)
        series, start = standin.hosting.containers.series, end - 3 * HOUR
        series._samples.clear()
        base = {"aws.sagemaker.inference_component.name": "base"}
        for minute in range(1, 181):
            at = start.timestamp() + minute * 60
            series.add("vllm:kv_cache_usage_perc", base, at, 0.25)
            series.add("vllm:num_requests_waiting", base, at, float(minute > 120) * 3)
            series.add("vllm:generation_tokens_total", {**base, "model_name": "c0"}, at, 10.0 * minute)
            for bound, share in (("0.1", 0.5), ("0.2", 1.0), ("+Inf", 1.0)):
                name = "vllm:time_to_first_token_seconds_bucket"
                series.add(name, {**base, "le": bound, "model_name": "c0"}, at, share * minute)
                series.add(name, {"le": bound, "aws.sagemaker.inference_component.name": "other"}, at, 9.0 * minute)
        return start, end + HOUR

    def test_levels_quantiles_and_tokens(self, standin: StandIn, source: CloudWatch, scraped: Range) -> None:
        reading = source.endpoint(PLACE, *scraped)
        assert reading.is_complete
        hours = [hour for hour in reading.hours if hour.cache_percent is not None]
        assert [(hour.hour - scraped[0]) // HOUR for hour in hours] == [0, 1, 2]
        first, _, last = hours
        assert (first.cache_percent, first.waiting, last.waiting) == (25.0, 0.0, 3.0)
        assert first.first_token_p50_ms == pytest.approx(100.0)
        assert first.first_token_p95_ms == pytest.approx(190.0)
        assert (first.completion_tokens, first.prompt_tokens, first.token_gap_p50_ms) == (590, None, None)

    def test_names_are_configured(self, standin: StandIn, scraped: Range) -> None:
        series = standin.hosting.containers.series
        at = scraped[0].timestamp() + 600
        series.add("KvUse", {"component": "base"}, at, 0.5)
        names = {"cache": "KvUse", **dict.fromkeys(("first_token", "token_gap", "waiting"), "")}
        source = source_at(standin, ENGINE_METRICS=names, COMPONENT_LABEL="component")
        reading = source.endpoint(PLACE, *scraped)
        assert [(hour.cache_percent, hour.waiting) for hour in reading.hours if hour.cache_percent] == [(50.0, None)]

    def test_it_is_left_out_where_it_cannot_be_read(self, standin: StandIn, scraped: Range) -> None:
        source = source_at(standin, PROMQL_PATH="/prometheus/api/v1")
        reading = source.endpoint(PLACE, *scraped)
        assert reading.missing == ENGINE_FIGURES
        assert reading.is_complete

    def test_a_day_is_asked_at_a_time(self, standin: StandIn, source: CloudWatch, scraped: Range) -> None:
        reading = source.endpoint(PLACE, scraped[1] - dt.timedelta(days=20), scraped[1])
        assert not reading.missing
        assert sum(hour.cache_percent is not None for hour in reading.hours) == 3
