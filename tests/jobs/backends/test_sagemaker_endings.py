"""How training jobs end in AWS, and what becomes of it here; the stand-in's clock is moved by hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from jobs.backends.base import ComputeError, RunState, Unavailable
from jobs.backends.sagemaker import SageMakerCompute
from lorakit.contracts import decode_event
from standin.clock import ManualClock
from standin.server import StandIn
from standin.training_job import Timing
from tests.jobs.backends.test_compute_contract import TENANT, ended, follow, new_name, toy, underway
from tests.standin.deployment import backend, running_standin

pytestmark = pytest.mark.slow

HOUR = 3600.0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def standin(tmp_path: Path, clock: ManualClock) -> Iterator[StandIn]:
    with running_standin(tmp_path / "containers", clock=clock) as standin:
        yield standin


@pytest.fixture
def sagemaker(standin: StandIn) -> SageMakerCompute:
    return backend(standin)


def test_the_phases_of_aws_are_shown(tmp_path: Path, clock: ManualClock) -> None:
    with running_standin(tmp_path, clock=clock, timing=Timing(60, 30, 20)) as standin:
        sagemaker, name = backend(standin), new_name()
        sagemaker.submit(name, toy())
        phases = []
        for seconds in (0, 60, 30):
            clock.advance(seconds)
            phases.append(sagemaker.observe(name).events[-1]["phase"])
        follow(sagemaker, name, lambda seen, steps: seen.events[-1].get("phase") == "uploading")
        clock.advance(20)
        seen, events = follow(sagemaker, name, ended)
    assert phases == ["starting", "downloading", "training"]
    assert seen.state is RunState.SUCCEEDED
    for event in events.values():
        decode_event(str(event).replace("'", '"'))


def test_a_spot_machine_that_is_taken_away_costs_nothing_but_time(standin: StandIn, clock: ManualClock) -> None:
    sagemaker, name = backend(standin, SPOT=True), new_name()
    sagemaker.submit(name, toy(steps=40, seconds_per_step=0.05))
    follow(sagemaker, name, underway)
    clock.advance(100)
    standin.training.interrupt(name)
    seen, events = follow(sagemaker, name, ended)
    assert seen.state is RunState.SUCCEEDED
    assert seen.result["metrics"]["first"] > 0, "it went on from its checkpoint"
    ordered = [events[seq] for seq in sorted(events)]
    steps = [event["step"] for event in ordered if event["type"] == "metric"]
    assert steps == list(range(1, 41)), "every step was reported once, in order, over both machines"
    phases = [event["phase"] for event in ordered if event["type"] == "phase"]
    assert [phase for phase in phases if phase in {"interrupted", "restarting"}] == ["interrupted", "restarting"]
    assert standin.training.created[name] == 1
    assert 25 <= seen.billable_seconds <= 40, "a spot machine is billed for a part of its 100 seconds"


def test_a_run_over_its_time_is_a_failure_that_says_what_to_do(standin: StandIn, clock: ManualClock) -> None:
    sagemaker, name = backend(standin, MAX_RUNTIME_SECONDS=600), new_name()
    sagemaker.submit(name, toy(steps=1000, seconds_per_step=0.05))
    follow(sagemaker, name, underway)
    clock.advance(601)
    seen, _ = follow(sagemaker, name, ended)
    error = seen.result["error"]
    assert (seen.state, error["code"], error["temporary"]) == (RunState.FAILED, "run:max_runtime", False)
    assert "fewer epochs" in error["text"]
    assert seen.billable_seconds == pytest.approx(601, abs=2)


def test_no_spot_machine_in_time_is_worth_another_try(standin: StandIn, clock: ManualClock) -> None:
    sagemaker, name = backend(standin, SPOT=True, MAX_RUNTIME_SECONDS=600, MAX_WAIT_SECONDS=900), new_name()
    standin.training.has_capacity = False
    sagemaker.submit(name, toy())
    assert sagemaker.observe(name).state is RunState.RUNNING
    clock.advance(901)
    seen = sagemaker.observe(name)
    assert (seen.state, seen.result["error"]["code"]) == (RunState.FAILED, "platform:no_spot_capacity")
    assert seen.result["error"]["temporary"] is True
    assert seen.billable_seconds == 0


def test_a_run_that_ignores_the_stop_is_killed_after_two_minutes(
    sagemaker: SageMakerCompute, clock: ManualClock
) -> None:
    name = new_name()
    sagemaker.submit(name, toy(steps=2, seconds_per_step=HOUR))
    follow(sagemaker, name, lambda seen, steps: any(event.get("phase") == "training" for event in seen.events[3:]))
    sagemaker.cancel(name)
    assert sagemaker.observe(name).state is RunState.RUNNING
    clock.advance(121)
    seen, _ = follow(sagemaker, name, ended)
    assert seen.state is RunState.STOPPED


def test_a_killed_container_ran_out_of_memory(sagemaker: SageMakerCompute, standin: StandIn) -> None:
    name = new_name()
    sagemaker.submit(name, toy(steps=1000, seconds_per_step=0.05))
    follow(sagemaker, name, underway)
    standin.training.jobs[name].close()
    seen, _ = follow(sagemaker, name, ended)
    assert (seen.state, seen.result["error"]["code"]) == (RunState.FAILED, "run:out_of_memory")


def test_a_completed_run_whose_result_is_damaged_or_gone_has_failed_and_still_costs(
    sagemaker: SageMakerCompute, clock: ManualClock
) -> None:
    name = new_name()
    sagemaker.submit(name, toy(steps=100, seconds_per_step=0.05))
    follow(sagemaker, name, underway)
    clock.advance(100)
    cost = follow(sagemaker, name, ended)[0].billable_seconds
    assert cost >= 100
    job = sagemaker._describe(name)
    assert job is not None
    sagemaker._bucket.put(sagemaker._output(job, "output.tar.gz"), b"no archive")
    damaged = sagemaker.observe(name)
    sagemaker._bucket.delete_prefix(sagemaker._output_prefix(job))
    gone = sagemaker.observe(name)
    for seen, code, temporary in (
        (damaged, "platform:artifact_damaged", True),
        (gone, "platform:artifact_missing", False),
    ):
        assert (seen.state, seen.billable_seconds) == (RunState.FAILED, cost)
        assert (seen.result["error"]["code"], seen.result["error"]["temporary"]) == (code, temporary)


def test_a_used_up_quota_keeps_the_job_waiting_and_says_what_to_ask_for(
    sagemaker: SageMakerCompute, standin: StandIn
) -> None:
    name = new_name()
    standin.training.limits["ml.g6e.xlarge"] = 0
    with pytest.raises(Unavailable, match="The job waits") as refused, capture_logs() as logs:
        sagemaker.submit(name, toy())
    assert [log["event"] for log in logs] == ["aws_quota_used_up"]
    assert "ml.g6e.xlarge for training job usage" in logs[0]["aws"]
    assert (refused.value.code, refused.value.temporary) == ("platform:aws_quota", True)
    assert sagemaker.observe(name).state is RunState.MISSING
    standin.training.limits.clear()
    sagemaker.submit(name, toy())
    assert follow(sagemaker, name, ended)[0].state is RunState.SUCCEEDED


def test_a_job_of_another_site_is_neither_adopted_nor_observed(sagemaker: SageMakerCompute, standin: StandIn) -> None:
    name = new_name()
    backend(standin).submit(name, toy())
    for act in (lambda: sagemaker.observe(name), lambda: sagemaker.submit(name, toy())):
        with pytest.raises(ComputeError) as refused:
            act()
        assert (refused.value.code, refused.value.temporary) == ("platform:name_taken", False)
    assert standin.training.created[name] == 1


def test_another_attempt_of_the_same_name_is_refused_by_its_tags(sagemaker: SageMakerCompute) -> None:
    name = new_name()
    sagemaker.submit(name, toy())
    with pytest.raises(ComputeError) as refused:
        sagemaker.submit(name, toy(attempt=2))
    assert refused.value.code == "platform:name_taken"


def test_what_a_library_prints_is_in_the_log_and_no_event(sagemaker: SageMakerCompute) -> None:
    name = new_name()
    sagemaker.submit(name, toy())
    follow(sagemaker, name, ended)
    assert sagemaker.log_tail(name) == ("a library's line", "threads: 1")
    assert sagemaker.log_tail(new_name()) == ()


def test_everything_of_a_tenant_lies_under_its_prefix(sagemaker: SageMakerCompute) -> None:
    name = new_name()
    sagemaker.submit(name, toy())
    follow(sagemaker, name, ended)
    listed = sagemaker._bucket._client.list_objects_v2(Bucket=sagemaker.settings.bucket)["Contents"]
    keys = {item["Key"] for item in listed}
    others = {key for key in keys if not key.startswith(f"portal/tenants/{TENANT}/")}
    assert len(keys) > 4
    assert [key.split("/")[:2] for key in others] == [["portal", "code"]]
