"""In how many threads a run on this machine computes."""

import time
from pathlib import Path

import pytest

from jobs.backends import local
from jobs.backends.base import ComputeSpec, RunState
from jobs.backends.local import LocalCompute


@pytest.mark.parametrize(("processors", "running", "share"), [(1, 2, 1), (2, 2, 1), (8, 2, 4), (8, 3, 2), (64, 2, 8)])
def test_each_run_has_an_even_share_of_the_processors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processors: int, running: int, share: int
) -> None:
    monkeypatch.setattr(local, "processors", lambda: processors)
    assert LocalCompute("default", {"ROOT": tmp_path, "MAX_RUNNING": running}).threads == share
    assert LocalCompute("default", {"ROOT": tmp_path, "MAX_RUNNING": running, "THREADS": 5}).threads == 5


def test_a_run_computes_in_its_share(tmp_path: Path) -> None:
    backend = LocalCompute("default", {"ROOT": tmp_path, "THREADS": 5})
    backend.submit("run", ComputeSpec(module="tests.jobs.contract_run", spec={"steps": 1}))
    until = time.monotonic() + 60
    while backend.observe("run").state is RunState.RUNNING:
        assert time.monotonic() < until, "the run did not end"
        time.sleep(0.05)
    assert "threads: 5" in backend.log_tail("run")
