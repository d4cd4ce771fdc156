"""Usage is the sum of its hours; latencies are those of answered requests, within one per cent."""

import datetime as dt
from collections.abc import Callable
from math import ceil
from uuid import uuid4

import pytest

from lorakit.contracts import InvocationRecord
from metering.models import By, Grain
from metering.usage.charts import Axis, Mark, errors_figure, latency_figure, requests_figure, tokens_figure
from metering.usage.figures import Figures
from metering.usage.queries import Slice, UsageSummary, usage_of
from tenants.models import Tenant
from tests.metering.conftest import at

Record = Callable[..., InvocationRecord]
START = dt.datetime(2026, 3, 1, 9, 30, tzinfo=dt.UTC)
END = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)


def axis(usage: UsageSummary) -> Axis:
    return Axis(wanted=usage.slice, grain=Grain.HOUR)


def used(start: dt.datetime, end: dt.datetime) -> UsageSummary:
    return usage_of(Slice.touching(start, end))


@pytest.mark.django_db
def test_a_range_is_widened_to_whole_hours(record: Record, count: Callable[..., int], in_tenant: Tenant) -> None:
    times = ("2026-03-01T08:59:59", "2026-03-01T09:00:00", "2026-03-01T11:59:59", "2026-03-01T12:00:00")
    count(*(record(at=at(time)) for time in times))
    usage = used(START, END)
    assert (usage.slice.start.hour, usage.slice.end.hour) == (9, 12)
    assert usage.total.requests == 2
    assert [hour.hour for hour in usage.series(Grain.HOUR)] == [9, 11]


@pytest.mark.django_db
def test_lines_are_told_apart_and_sum_to_the_total(
    record: Record, count: Callable[..., int], in_tenant: Tenant
) -> None:
    moment, version = at("2026-03-01T10:10:00"), str(uuid4())
    count(record(at=moment, version_id=version), record(at=moment, version_id=version, latency_ms=300.0))
    count(record(at=moment, alias="tiny-llama"))
    count(record(at=moment, alias="", status=404, latency_ms=0.5, busy_ms=0.0, prompt_tokens=0, completion_tokens=0))
    usage = used(START, END)
    assert {(line.label, line.figures.requests, line.figures.errors) for line in usage.lines} == {
        ("legal (deleted version)", 2, 0),
        ("tiny-llama", 1, 0),
        ("Unknown models", 1, 1),
    }
    assert usage.total.requests == sum(line.figures.requests for line in usage.lines) == 4
    assert (usage.total.tokens, usage.total.busy_ms, usage.total.error_share) == (45, 120.0, 0.25)
    assert usage.total.p50_ms == pytest.approx(100, rel=0.01)
    # Of two or three values the nearest rank of 95 % is the last.
    assert usage.total.p95_ms == pytest.approx(300, rel=0.01)
    assert usage.lines[0].figures.p95_ms == pytest.approx(300, rel=0.01)


@pytest.mark.django_db
def test_whole_days_and_the_hours_around_them_sum_to_the_total(
    record: Record, count: Callable[..., int], in_tenant: Tenant
) -> None:
    times = [at(f"2026-03-{day:02}T{hour:02}:30:00") for day in range(1, 6) for hour in (0, 7, 8, 15, 16, 23)]
    count(*(record(at=time, latency_ms=float(number + 1)) for number, time in enumerate(times)))
    moments = [dt.datetime(2026, 3, day, hour, tzinfo=dt.UTC) for day in range(1, 6) for hour in (0, 8, 16, 23)]
    for start in moments:
        for end in moments:
            if start < end:
                inside = [n + 1 for n, time in enumerate(times) if start.timestamp() <= time < end.timestamp()]
                usage = used(start, end)
                [line] = usage.lines
                assert line.figures == usage.total
                assert usage.total.requests == len(inside)
                assert usage.total.p95_ms == pytest.approx(inside[ceil(0.95 * len(inside)) - 1], rel=0.011)


@pytest.mark.django_db
@pytest.mark.parametrize("start", ["2026-03-01T09", "2026-03-02T00", "2026-03-03T00", "2026-03-03T09"])
def test_what_comes_later_on_the_last_day_is_not_counted(
    record: Record, count: Callable[..., int], in_tenant: Tenant, start: str
) -> None:
    end = "2026-03-03T12"
    times = ("2026-03-01T08:30", "2026-03-01T10:30", "2026-03-02T10:30", "2026-03-03T08:30", "2026-03-03T10:30")
    count(*(record(at=at(time)) for time in times))
    inside = sum(start <= time < end for time in times)
    for _ in range(2):
        usage = used(*(dt.datetime.fromisoformat(hour).replace(tzinfo=dt.UTC) for hour in (start, end)))
        assert usage.total.requests == inside
        assert [line.figures for line in usage.lines] == [usage.total]
        count(record(at=at(end), latency_ms=300.0))


@pytest.mark.django_db
def test_nothing_is_nothing(in_tenant: Tenant) -> None:
    usage = used(START, END)
    assert (usage.total.requests, usage.total.p50_ms, usage.total.error_share) == (0, None, 0.0)
    assert [trace["y"] for trace in requests_figure(axis(usage), {}, {"All": {}})["data"]] == [[0, 0, 0]]
    assert [trace["y"] for trace in latency_figure(axis(usage), {})["data"]] == [[None] * 3] * 3


@pytest.mark.django_db
def test_the_chart_shows_hours_without_requests(record: Record, count: Callable[..., int], in_tenant: Tenant) -> None:
    count(record(at=at("2026-03-01T10:00:00")), record(at=at("2026-03-01T10:20:00"), status=503))
    usage = used(START, END)
    series = usage.series(Grain.HOUR)
    [shown] = requests_figure(axis(usage), series, {"legal": usage.requests_of(Grain.HOUR, ["legal"])["legal"]})["data"]
    [failed] = errors_figure(axis(usage), series)["data"]
    assert (shown["y"], failed["name"], failed["y"]) == ([0, 2, 0], "Failed", [0, 1, 0])


@pytest.mark.django_db
def test_what_has_no_colour_of_its_own_is_shown_together(
    record: Record, count: Callable[..., int], in_tenant: Tenant
) -> None:
    count(*(record(at=at("2026-03-01T10:00:00"), alias=alias) for alias in ("a", "a", "b", "c")))
    usage = usage_of(Slice.touching(START, END), By.MODEL)
    figure = requests_figure(
        axis(usage),
        usage.series(Grain.HOUR),
        usage.requests_of(Grain.HOUR, ["a"]),
        before={START.replace(hour=7, minute=0): Figures(requests=7)},
    )
    assert {trace["name"]: trace["y"] for trace in figure["data"]} == {
        "a": [0, 2, 0], "Others": [0, 2, 0], "The time before": [0, 7, 0]
    }  # fmt: skip
    assert figure["label"] == "Requests per hour: 4 in all. Most: 4, 1 March, 10:00 UTC."


def test_days_have_no_time_of_day() -> None:
    wanted = Slice(start=START.replace(hour=0, minute=0), end=END.replace(day=3, hour=0))
    marks = [Mark(at=START, text="▲ legal v2")]
    figure = tokens_figure(
        Axis(wanted=wanted, grain=Grain.DAY, marks=marks), {wanted.start: Figures(completion_tokens=86_400)}
    )
    [output] = figure["data"]
    assert (figure["layout"]["meta"]["times"], output["y"]) == (["2026-03-01", "2026-03-02"], [1.0, 0.0])
    assert figure["layout"]["shapes"][0]["x0"] == "2026-03-01"
    assert figure["layout"]["annotations"][0]["text"] == "▲ legal v2"
