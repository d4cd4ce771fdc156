"""What every usage source does. A new one subclasses UsageSourceContract and overrides its fixtures."""

import datetime as dt
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from pytest_django import Settings

from metering.backends import usage_sources
from metering.backends.base import Place, UsageSource
from metering.backends.cloudwatch import CloudWatch
from serving.backends import endpoints
from serving.backends.sagemaker import SageMakerEndpoint
from serving.endpoints.asking import ask
from tests.metering.backends.published import HOUR, answer, moment, publishing, source_at
from tests.serving.conftest import user


@dataclass(frozen=True)
class Asked:
    """A component that answered `requests` since `start`, up to `end`; and its endpoint, which saw as many."""

    component: str
    place: Place
    requests: int
    start: dt.datetime
    end: dt.datetime


class UsageSourceContract:
    """`asked` has no other requests in its hours."""

    @pytest.fixture
    def source(self) -> UsageSource:
        raise NotImplementedError

    @pytest.fixture
    def asked(self, source: UsageSource) -> Asked:
        raise NotImplementedError

    def test_what_was_asked_is_counted(self, source: UsageSource, asked: Asked) -> None:
        reading = source.components([asked.component], asked.start, asked.end)[asked.component]
        assert reading.is_complete
        assert sum(hour.requests or 0 for hour in reading.hours) == asked.requests
        for hour in reading.hours:
            assert asked.start <= hour.hour < asked.end
            assert hour.hour == hour.hour.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)
            assert hour.p50_ms is not None
            assert hour.p95_ms is not None
            assert hour.p99_ms is not None
            assert 0 < hour.p50_ms <= hour.p95_ms <= hour.p99_ms
            assert hour.mean_ms is not None
            assert hour.overhead_ms is not None
            assert hour.errors_5xx == 0
        assert list(reading.hours) == sorted(reading.hours, key=lambda hour: hour.hour)
        assert source.components([asked.component], asked.start, asked.end)[asked.component] == reading

    def test_its_endpoint_is_counted(self, source: UsageSource, asked: Asked) -> None:
        reading = source.endpoint(asked.place, asked.start, asked.end)
        assert reading.is_complete
        assert sum(hour.requests or 0 for hour in reading.hours) >= asked.requests

    def test_what_was_never_published_has_no_hours(self, source: UsageSource, asked: Asked) -> None:
        names = [f"nobody-{number}" for number in range(60)]
        found = source.components([*names, asked.component], asked.start, asked.end)
        assert set(found) == {*names, asked.component}
        assert all(found[name].is_complete and not found[name].hours for name in names)
        assert found[asked.component].hours
        assert not source.endpoint(Place(endpoint="nobody", base="nobody"), asked.start, asked.end).hours

    def test_hours_before_it_have_no_data(self, source: UsageSource, asked: Asked) -> None:
        earlier = asked.start - dt.timedelta(days=100)
        found = source.components([asked.component], earlier, earlier + dt.timedelta(days=2))
        assert found[asked.component].is_complete
        assert not found[asked.component].hours

    def test_an_unknown_option_raises(self, source: UsageSource) -> None:
        with pytest.raises(ValueError, match="SPEED"):
            type(source)("cloudwatch", {"SPEED": 1})

    def test_it_watches_the_endpoints_it_is_told(self, source: UsageSource) -> None:
        assert source.watches("default")
        other = type(source)("cloudwatch", {"REGION": "eu-west-1", "ENDPOINTS": ("elsewhere",)})
        assert (other.watches("default"), other.watches("elsewhere")) == (False, True)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[CloudWatch, Asked]]:
    with publishing(tmp_path_factory.mktemp("cloudwatch")) as (standin, clock):
        start, asked = moment(clock), 0
        for hour in (0, 1, 3):
            clock.advance(start.timestamp() + hour * 3600 + 60 - clock.now())
            for ms in (80.0, 90.0, 120.0):
                answer(standin, "one", ms=ms)
                asked += 1
            whole = {"Invocations": 4.0, "ModelLatency": 9e4, "FirstChunkLatency": 3e4, "MidStreamErrors": 0.0}
            standin.hosting.publish(whole, EndpointName="shared", VariantName="AllTraffic")
            standin.hosting.publish({"ConcurrentRequestsPerCopy": 2.0}, InferenceComponentName="shared-base")
        clock.advance(3600)
        place = Place(endpoint="shared", base="shared-base")
        yield source_at(standin), Asked("one", place, asked, start, start + 5 * HOUR)


class TestCloudWatch(UsageSourceContract):
    @pytest.fixture
    def source(self, published: tuple[CloudWatch, Asked]) -> UsageSource:
        return published[0]

    @pytest.fixture
    def asked(self, published: tuple[CloudWatch, Asked]) -> Asked:
        return published[1]

    def test_an_hour_without_data_is_a_gap_and_units_are_milliseconds(self, source: UsageSource, asked: Asked) -> None:
        hours = source.components(["one"], asked.start, asked.end)["one"].hours
        assert [(hour.hour - asked.start) // HOUR for hour in hours] == [0, 1, 3]
        assert {(hour.requests, hour.p50_ms, hour.p95_ms, hour.overhead_ms) for hour in hours} == {
            (3, 90.0, 120.0, 2.0)
        }
        assert hours[0].mean_ms == pytest.approx(96.67, abs=0.01)

    def test_a_figure_that_nobody_published_is_none(self, source: UsageSource, asked: Asked) -> None:
        hour, *_ = source.endpoint(asked.place, asked.start, asked.end).hours
        assert (hour.requests, hour.p50_ms, hour.first_chunk_p95_ms, hour.concurrency) == (4, 90.0, 30.0, 2.0)
        assert (hour.stream_errors, hour.errors_5xx, hour.gpu_percent, hour.no_capacity) == (0, None, None, None)

    @pytest.mark.parametrize(
        ("wrong", "named"), [({}, "REGION"), ({"REGION": "x", "ENGINE_METRICS": {"speed": "x"}}, "speed")]
    )
    def test_a_needed_or_wrong_option_raises(
        self, wrong: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
        with pytest.raises(ValueError, match=named):
            CloudWatch("cloudwatch", wrong)


@pytest.fixture(scope="module")
def live() -> tuple[UsageSource, Asked]:
    """Asks a base three times, and waits until CloudWatch says so."""
    source, backend = usage_sources["cloudwatch"], endpoints["default"]
    assert isinstance(backend, SageMakerEndpoint), "set SAGEMAKER_ENDPOINT"
    target = backend.target(backend.base_model)
    start = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0)
    end = start + 2 * HOUR
    before = sum(h.requests or 0 for h in source.components([target.model], start, end)[target.model].hours)
    for _ in range(3):
        ask(target, user("Say hello."), max_tokens=16)
    deadline = time.monotonic() + 900
    while True:
        hours = source.components([target.model], start, end)[target.model].hours
        if sum(hour.requests or 0 for hour in hours) >= before + 3:
            place = Place(endpoint=target.endpoint, base=target.model)
            return source, Asked(target.model, place, before + 3, start, end)
        assert time.monotonic() < deadline, "CloudWatch does not count them"
        time.sleep(30)


@pytest.mark.skipif(os.environ.get("AWS_LIVE") != "1", reason="needs AWS_LIVE=1 and an endpoint that stands")
class TestCloudWatchOnAws(UsageSourceContract):
    """The same against AWS, where the endpoint SAGEMAKER_ENDPOINT stands."""

    @pytest.fixture
    def source(self, live: tuple[UsageSource, Asked]) -> UsageSource:
        return live[0]

    @pytest.fixture
    def asked(self, live: tuple[UsageSource, Asked]) -> Asked:
        return live[1]


def test_a_wrong_setting_is_told_at_start(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from metering.checks import check_backends

    entry = {"BACKEND": "metering.backends.cloudwatch.CloudWatch", "OPTIONS": {"SPEED": 1}}
    settings.USAGE_SOURCES = {"cloudwatch": entry}
    monkeypatch.setattr(usage_sources, "built", {})
    [error] = check_backends(None)
    assert "SPEED" in error.msg
