"""What every compute backend does. A new backend subclasses ComputeContract and overrides its fixture."""

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from jobs.backends.base import ComputeBackend, ComputeSpec, InputFile, Observation, RunState
from jobs.backends.local import LocalCompute
from tests.standin.deployment import backend as sagemaker
from tests.standin.deployment import running_standin

pytestmark = pytest.mark.slow

TENANT, JOB = "11111111-0000-4000-8000-000000000000", "22222222-0000-4000-8000-000000000000"


def toy(attempt: int = 1, inputs: dict[str, tuple[InputFile, ...]] | None = None, **spec: Any) -> ComputeSpec:
    return ComputeSpec(
        module="tests.jobs.contract_run",
        spec=spec,
        inputs=inputs or {},
        checkpoint_key=JOB,
        tags={"tenant": TENANT, "job": JOB, "attempt": str(attempt), "kind": "toy"},
    )


def new_name() -> str:
    return f"toy-{uuid.uuid4().hex}"


def follow(
    backend: ComputeBackend, name: str, until: Callable[[Observation, list[int]], bool], seconds: float = 30.0
) -> tuple[Observation, dict[int, dict[str, Any]]]:
    """Observe on and on, from the cursor each answer gives; the last observation, and every event by its number."""
    events: dict[int, dict[str, Any]] = {}
    cursor, deadline = 0, time.monotonic() + seconds
    while True:
        seen = backend.observe(name, cursor)
        for event in seen.events:
            assert events.setdefault(event["seq"], event) == event, "a number means the same at every look"
        cursor = seen.cursor
        steps = [event["step"] for event in events.values() if event["type"] == "metric"]
        if until(seen, steps):
            return seen, events
        assert time.monotonic() < deadline, seen
        time.sleep(0.05)


def ended(seen: Observation, steps: list[int]) -> bool:
    return seen.state is not RunState.RUNNING


def underway(seen: Observation, steps: list[int]) -> bool:
    return bool(steps)


class ComputeContract:
    """`backend` has no runs."""

    @pytest.fixture
    def backend(self) -> ComputeBackend:
        raise NotImplementedError

    def test_a_run_tells_how_it_goes_and_leaves_its_artifacts(self, backend: ComputeBackend, tmp_path: Path) -> None:
        name = new_name()
        assert backend.observe(name).state is RunState.MISSING
        key = default_storage.save("contract/rows", ContentFile(b"one\ntwo\n"))
        backend.submit(name, toy(inputs={"rows": (InputFile(key=key, filename="rows.txt"),)}, steps=4))
        seen, events = follow(backend, name, ended)
        assert (seen.state, seen.result["ok"], seen.result["metrics"]) == (RunState.SUCCEEDED, True, {"first": 0.0})
        assert [events[seq]["step"] for seq in sorted(events) if "step" in events[seq]] == [1, 2, 3, 4]
        assert {item["name"] for item in seen.result["artifacts"]} == {"sum.txt", "rows.txt"}
        for artifact, content in (("sum.txt", b"10"), ("rows.txt", b"one\ntwo\n")):
            backend.fetch(name, artifact, tmp_path / artifact)
            assert (tmp_path / artifact).read_bytes() == content
        assert seen.billable_seconds >= 0

    def test_submitting_twice_starts_one_run(self, backend: ComputeBackend) -> None:
        name = new_name()
        backend.submit(name, toy(steps=3, seconds_per_step=0.1))
        backend.submit(name, toy(steps=3, seconds_per_step=0.1))
        _, events = follow(backend, name, ended)
        assert sorted(event["step"] for event in events.values() if "step" in event) == [1, 2, 3]

    def test_a_failure_keeps_its_code_and_its_words(self, backend: ComputeBackend) -> None:
        name = new_name()
        backend.submit(name, toy(fail_with="toy:broken"))
        seen, _ = follow(backend, name, ended)
        error = seen.result["error"]
        assert (seen.state, error["code"], error["text"]) == (RunState.FAILED, "toy:broken", "Mend the run.")
        assert error["temporary"] is True

    def test_a_cancelled_run_stops_and_a_later_attempt_goes_on(self, backend: ComputeBackend) -> None:
        first, second = new_name(), new_name()
        backend.submit(first, toy(steps=1000, seconds_per_step=0.05))
        follow(backend, first, underway)
        backend.cancel(first)
        backend.cancel(first)
        seen, _ = follow(backend, first, ended)
        assert (seen.state, seen.result["cancelled"]) == (RunState.STOPPED, True)
        backend.cancel(first)
        backend.submit(second, toy(attempt=2, steps=3))
        seen, _ = follow(backend, second, ended)
        assert seen.result["metrics"]["first"] > 0

    def test_what_is_discarded_is_gone(self, backend: ComputeBackend, tmp_path: Path) -> None:
        first, second = new_name(), new_name()
        backend.submit(first, toy(steps=3))
        follow(backend, first, ended)
        backend.discard(first, checkpoint_key=JOB)
        backend.discard(first, checkpoint_key=JOB)
        with pytest.raises(Exception, match=r"sum\.txt"):
            backend.fetch(first, "sum.txt", tmp_path / "sum.txt")
        backend.submit(second, toy(attempt=2, steps=3))
        seen, _ = follow(backend, second, ended)
        assert seen.result["metrics"]["first"] == 0

    def test_an_unknown_option_raises(self, backend: ComputeBackend) -> None:
        with pytest.raises(ValueError, match="SPEED"):
            type(backend)("default", {"SPEED": 1})


class TestLocal(ComputeContract):
    @pytest.fixture
    def backend(self, tmp_path: Path) -> ComputeBackend:
        return LocalCompute("default", {"ROOT": tmp_path / "compute"})


class TestSageMaker(ComputeContract):
    @pytest.fixture
    def backend(self, tmp_path: Path) -> Iterator[ComputeBackend]:
        with running_standin(tmp_path / "containers") as standin:
            yield sagemaker(standin)
