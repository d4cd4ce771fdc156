"""The plan of our own engine against the resident memory of real processes of it."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from django.conf import settings

from lorakit.capacity.plan import Plan, plan_of
from lorakit.capacity.setup import Setup
from lorakit.capacity.shape import read_shape

pytestmark = pytest.mark.slow

FEW, MANY, RANK = 4, 64, 32
START_SECONDS = 120


def planned(slots: int) -> Plan:
    tiny = read_shape(settings.BASE_MODEL_DIR)
    assert tiny is not None
    setup = Setup(
        engine="lorakit", precision="fp32", device_bytes=None, has_gpu=False, slots=slots, host_adapters=slots,
        max_rank=RANK, context=2048, width=32,
    )  # fmt: skip
    return plan_of(tiny, setup)


@contextmanager
def engine(slots: int, log: Path) -> Iterator[int]:
    """The process ID of an engine that answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "lorakit.serve", "--base", str(settings.BASE_MODEL_DIR), "--port", str(port)]
    with log.open("wb") as file:
        child = subprocess.Popen(
            [*command, "--slots", str(slots), "--max-rank", str(RANK), "--die-with-parent"], stdout=file, stderr=file
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers(port):
            assert child.poll() is None, log.read_text()
            assert time.monotonic() < deadline, "the engine did not start in time"
            time.sleep(0.1)
        yield child.pid
    finally:
        child.terminate()
        child.wait(timeout=60)


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False).is_success
    except httpx.HTTPError:
        return False


def test_the_plan_is_what_the_engine_takes(tmp_path: Path) -> None:
    with ExitStack() as engines:
        few = engines.enter_context(engine(FEW, tmp_path / "few.txt"))
        many = engines.enter_context(engine(MANY, tmp_path / "many.txt"))
        resident = {pid: psutil.Process(pid).memory_info().rss for pid in (few, many)}
    of_slots = planned(MANY).fixed - planned(FEW).fixed
    assert resident[many] - resident[few] == pytest.approx(of_slots, rel=0.1)
    for pid, slots in ((few, FEW), (many, MANY)):
        # What differs is the process's own part, which depends on the versions of its libraries.
        assert resident[pid] == pytest.approx(planned(slots).fixed, abs=60_000_000)
