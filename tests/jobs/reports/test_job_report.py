"""What a page makes of a job's events."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.utils import timezone

from jobs.models import Job, JobEvent
from jobs.reports.charts import MAX_POINTS, loss_figure
from jobs.reports.queries import Report, cost_so_far_usd, read_report, report_of
from jobs.states import State
from tenants.models import Tenant
from tenants.scope import tenant_scope

NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _some_tenant() -> Iterator[None]:
    with tenant_scope(uuid4()):
        yield


def metric(attempt: int, step: int, **data: float | None) -> JobEvent:
    return JobEvent(attempt=attempt, seq=step, at=NOON, type="metric", data={"step": step, "total": 9, **data})


def test_a_later_attempt_replaces_the_steps_it_repeats() -> None:
    events = [metric(1, 1, loss=3.0), metric(1, 2, loss=2.0), metric(2, 2, loss=1.9), metric(2, 3, loss=1.0)]
    report = read_report(events)
    assert [(point["step"], point["loss"]) for point in report.points] == [(1, 3.0), (2, 1.9), (3, 1.0)]
    assert report.step_text == "Step 3 of 9"


def test_a_loss_and_an_evaluation_of_one_step_are_kept_both() -> None:
    report = read_report([metric(1, 5, loss=2.0, eval_loss=None), metric(1, 5, loss=None, eval_loss=2.5)])
    assert (report.points[0]["loss"], report.points[0]["eval_loss"]) == (2.0, 2.5)


def test_the_log_has_the_newest_first() -> None:
    events = [
        JobEvent(attempt=1, seq=1, at=NOON, type="phase", data={"phase": "loading"}),
        metric(1, 2, loss=1.0),
        JobEvent(attempt=1, seq=3, at=NOON, type="message", data={"text": "Loaded."}),
    ]
    assert [event.type for event in read_report(events).log] == ["message", "phase"]


def test_the_chart_has_a_trace_for_each_curve() -> None:
    points = [{"step": n, "loss": 1 / n, "learning_rate": 1e-4} for n in range(1, 4)] + [{"step": 4, "eval_loss": 0.5}]
    figure = loss_figure(points)
    assert figure is not None
    traces = {trace["name"]: trace for trace in figure["data"]}
    assert traces["Training loss"]["x"] == [1, 2, 3]
    assert traces["Held-out loss"]["y"] == [0.5]
    assert traces["Learning rate"]["yaxis"] == "y2"
    assert figure["layout"]["yaxis2"]["domain"][1] < figure["layout"]["yaxis"]["domain"][0], (
        "the rate has its own strip"
    )


def test_the_chart_spans_the_whole_run() -> None:
    running = loss_figure([{"step": 5, "total": 375, "loss": 2.0}])
    assert running is not None
    assert running["layout"]["xaxis"]["range"] == [0, 375]
    unknown = loss_figure([{"step": 5, "loss": 2.0}, {"step": 20, "eval_loss": 2.0}])
    assert unknown is not None
    assert unknown["layout"]["xaxis"]["range"] == [0, 20]


@pytest.mark.parametrize(
    ("losses", "scale"), [((6.2, 2.0, 0.03), "log"), ((2.4, 1.1), "linear"), ((1.0, 0.0), "linear")]
)
def test_a_loss_that_has_become_low_is_drawn_on_a_log_scale(losses: tuple[float, ...], scale: str) -> None:
    figure = loss_figure([{"step": step, "loss": value} for step, value in enumerate(losses)])
    assert figure is not None
    assert figure["layout"]["yaxis"]["type"] == scale


def test_without_losses_there_is_no_chart() -> None:
    assert loss_figure([{"step": 1, "fraction": 0.5}]) is None


def test_a_long_run_is_thinned_and_keeps_its_last_point() -> None:
    figure = loss_figure([{"step": n, "loss": 1.0} for n in range(10_000)])
    assert figure is not None
    steps = figure["data"][0]["x"]
    assert len(steps) <= MAX_POINTS + 1
    assert (steps[0], steps[-1]) == (0, 9999)


def test_the_running_attempt_counts_towards_the_cost() -> None:
    job = Job(state=State.RUNNING, attempt=2, billed_attempt=1, billable_seconds=1800.0, usd_per_hour=2)
    report = Report(attempt=2, attempt_began_at=timezone.now() - dt.timedelta(minutes=15))
    lost = Report(attempt=1, attempt_began_at=report.attempt_began_at)
    assert cost_so_far_usd(job, lost) == pytest.approx(1.00), "what was lost is paid for already"
    assert cost_so_far_usd(job, report) == pytest.approx(1.50, abs=0.01)
    job.billed_attempt = 2
    assert cost_so_far_usd(job, report) == pytest.approx(1.00)


def stored(tenant: Tenant, events: list[JobEvent]) -> Job:
    furthest = max(event.data.get("step", 0) for event in events)
    job: Job = Job.objects.create(tenant=tenant, kind="toy", title="toy", furthest_step=furthest)
    attempts: Counter[int] = Counter()
    for event in events:
        attempts[event.attempt] += 1
        event.tenant_id, event.job, event.seq = tenant.id, job, attempts[event.attempt]
    JobEvent.objects.bulk_create(events)
    return job


@pytest.mark.django_db
def test_a_short_run_keeps_every_point(in_tenant: Tenant) -> None:
    job = stored(in_tenant, [metric(1, step, loss=1.0) for step in range(1, MAX_POINTS + 1)])
    assert [point["step"] for point in report_of(job).points] == list(range(1, MAX_POINTS + 1))


@pytest.mark.django_db
def test_of_a_long_run_only_what_can_be_drawn_is_read(in_tenant: Tenant) -> None:
    steps = 5 * MAX_POINTS
    first = [metric(1, step, loss=3.0, learning_rate=1e-4) for step in range(1, steps + 1)]
    evaluations = [metric(1, step, eval_loss=2.0) for step in range(100, steps + 1, 100)]
    phase = JobEvent(attempt=2, seq=1, at=NOON, type="phase", data={"phase": "training"})
    second = [metric(2, step, loss=1.0) for step in range(1001, 2001)]
    job = stored(in_tenant, [*first, *evaluations, phase, *second])
    report = report_of(job)
    assert MAX_POINTS <= len(report.points) <= MAX_POINTS + len(evaluations) + 1
    assert [point["step"] for point in report.points if "eval_loss" in point] == list(range(100, steps + 1, 100))
    assert {point["loss"] for point in report.points if 1000 < point["step"] <= 2000 and "loss" in point} == {1.0}
    assert report.points[-1]["step"] == steps
    latest = {"step": 2000, "total": 9, "loss": 1.0, "eval_loss": 2.0, "learning_rate": 1e-4}
    assert (report.latest, report.log, report.attempt_began_at) == (latest, [phase], NOON)
