"""However the checking child ends: a version is ready once or rejected, never half, and no process stays."""

import errno
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from django.conf import settings

from corpora.ingest.contracts import IngestSpec
from corpora.models import DatasetVersion, VersionState
from corpora.quota import used_bytes
from jobs.backends import compute as backends
from jobs.models import Job
from jobs.states import State
from storage.objects import open_object, put_file
from tenants.models import Tenant

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
# Each row holds something to look at closely, so that a check takes long enough to be killed in the middle of it.
LINE = (
    b'{"messages": [{"role": "user", "content": "call +49 30 %07d: ' + b"x" * 600 + b'"}, '
    b'{"role": "assistant", "content": "answer"}]}\n'
)


def chat_file(mebibytes: int) -> bytes:
    """A file that is large enough to be read by several processes."""
    return b"".join(LINE % number for number in range((mebibytes << 20) // len(LINE)))


def processes_at(folder: Path) -> list[psutil.Process]:
    """The live processes that work in a folder, the readers of a child among them."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess):
            if any(str(folder) in part for part in process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


@pytest.fixture
def compute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder for run directories; nothing may be at work in it afterwards."""
    monkeypatch.setattr(backends["checks"], "root", tmp_path / "compute")
    yield tmp_path / "compute"
    deadline = time.monotonic() + 60
    while (left := processes_at(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


class Killer(threading.Thread):
    """Kills the first `times` runs in a folder: the child, or one of its readers, after `delays` seconds of work."""

    def __init__(self, folder: Path, *, times: int, readers: bool = False, delays: tuple[float, float]) -> None:
        super().__init__(daemon=True)
        self._folder = folder
        self._times = times
        self._readers = readers
        self._delays = delays
        self._random = random.Random(7)
        self.ended = threading.Event()
        self.killed: set[int] = set()

    def run(self) -> None:
        seen: set[str] = set()
        due: dict[int, float] = {}
        while len(self.killed) < self._times and not self.ended.is_set():
            for pid in self._folder.glob("*/pid"):
                if len(seen) < self._times and str(pid) not in seen and (text := pid.read_text().strip()):
                    victim = self._victim(int(text))
                    if victim:
                        seen.add(str(pid))
                        due[victim] = time.monotonic() + self._random.uniform(*self._delays)
            for victim in [victim for victim, moment in due.items() if moment <= time.monotonic()]:
                del due[victim]
                with suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
                    self.killed.add(victim)
            time.sleep(0.002)

    def _victim(self, child: int) -> int | None:
        if not self._readers:
            return child
        with suppress(psutil.NoSuchProcess):
            return next((reader.pid for reader in psutil.Process(child).children()), None)
        return None


def run_with(killer: Killer, run_jobs: Callable[..., None], version: DatasetVersion) -> DatasetVersion:
    killer.start()
    try:
        run_jobs()
    finally:
        killer.ended.set()
        killer.join()
    version.refresh_from_db()
    return version


def is_whole(version: DatasetVersion) -> bool:
    """A ready version has each of its rows."""
    with open_object(version.train_key) as train, open_object(version.test_key) as test:
        return (
            sum(1 for _ in train) + sum(1 for _ in test)
            == version.row_count
            == version.train_count + version.test_count
        )


@pytest.mark.django_db
@pytest.mark.parametrize("delays", [(0.0, 0.1), (0.3, 1.2)])
def test_a_child_that_is_killed_twice_is_begun_again(
    delays: tuple[float, float], upload: Callable[..., DatasetVersion], run_jobs: Callable[..., None], compute: Path
) -> None:
    killer = Killer(compute, times=2, delays=delays)
    version = run_with(killer, run_jobs, upload(chat_file(24)))
    assert killer.killed
    assert version.state == VersionState.READY, version.error_text
    assert version.row_count == (24 << 20) // len(LINE)
    assert is_whole(version)
    assert Job.objects.get().state == State.SUCCEEDED


@pytest.mark.django_db
def test_ten_children_killed_at_random_moments_leave_whole_versions_or_none(
    upload: Callable[..., DatasetVersion], run_jobs: Callable[..., None], compute: Path, tenant: Tenant
) -> None:
    """From their first instruction to their last; the storage holds what the versions name, and nothing else."""
    contents = [LINE % -number + chat_file(2) for number in range(1, 11)]
    versions = [upload(content, name=f"rows {number}") for number, content in enumerate(contents)]
    killer = Killer(compute, times=10, delays=(0.0, 0.8))
    run_with(killer, run_jobs, versions[0])
    assert len(killer.killed) > 5
    for version, content in zip(versions, contents, strict=True):
        version.refresh_from_db()
        if version.state == VersionState.REJECTED:
            # The same job was hit each time.
            assert (version.error_code, version.train_key, version.row_count) == ("platform:run_lost", "", 0)
            continue
        assert version.state == VersionState.READY
        assert version.upload_sha256 == hashlib.sha256(content).hexdigest()
        assert is_whole(version)
    assert sum(version.is_ready for version in versions) >= 7
    names = ("train_key", "test_key", "index_key", "findings_key", "upload_key")
    named = {getattr(version, name) for version in versions for name in names} - {""}
    root = Path(settings.STORAGES["default"]["OPTIONS"]["location"])
    assert {str(path.relative_to(root)) for path in root.glob(f"tenants/{tenant.id}/**/*") if path.is_file()} == named
    assert used_bytes(tenant) == sum(map(len, contents)) + sum(version.rows_bytes for version in versions)


@pytest.mark.django_db
@pytest.mark.parametrize("stored", range(4))
def test_a_worker_that_dies_or_finds_no_room_between_two_files_shows_nothing_half(
    stored: int,
    upload: Callable[..., DatasetVersion],
    run_jobs: Callable[..., None],
    compute: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version, calls = upload(chat_file(1)), 0

    def put(key: str, path: Path) -> None:
        nonlocal calls
        calls += 1
        if calls == stored + 1:
            # As a disk does that fills up in the middle of a file.
            put_file(key, shorter(path))
            now = DatasetVersion.objects.get(id=version.id)
            assert (now.state, now.train_key, now.row_count) == (VersionState.CHECKING, "", 0)
            raise OSError(errno.ENOSPC, "No space left on device")
        put_file(key, path)

    monkeypatch.setattr("corpora.versions.kinds.put_file", put)
    run_jobs()
    version.refresh_from_db()
    assert calls > 4
    assert version.state == VersionState.READY, version.error_text
    assert is_whole(version)
    assert (Job.objects.get().attempt, Job.objects.get().error_code) == (1, "")


def shorter(path: Path) -> Path:
    """A copy of the file's first half."""
    half = path.with_name("half")
    half.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return half


@pytest.mark.django_db
def test_a_child_that_is_killed_each_time_leaves_a_rejected_version_without_rows(
    upload: Callable[..., DatasetVersion], run_jobs: Callable[..., None], compute: Path
) -> None:
    killer = Killer(compute, times=100, delays=(0.0, 0.05))
    version = run_with(killer, run_jobs, upload(chat_file(1)))
    assert (version.state, version.error_code) == (VersionState.REJECTED, "platform:run_lost")
    assert len(killer.killed) == 3
    assert (version.train_key, version.test_key, version.index_key, version.row_count) == ("", "", "", 0)
    stored = Path(settings.STORAGES["default"]["OPTIONS"]["location"]) / Path(version.upload_key).parents[1]
    assert stored.is_dir()
    assert not list(stored.glob(f"{version.id.hex}/*"))


@pytest.mark.django_db
def test_a_version_shows_no_rows_before_it_is_ready(
    upload: Callable[..., DatasetVersion],
    run_jobs: Callable[..., None],
    compute: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version = upload(chat_file(1))
    seen = []
    original = time.sleep

    def look(seconds: float) -> None:
        row = DatasetVersion.objects.get(id=version.id)
        seen.append((row.state, row.train_key, row.test_key, row.index_key, row.row_count))
        original(seconds)

    monkeypatch.setattr("tests.conftest.time.sleep", look)
    run_jobs()
    assert set(seen) == {(VersionState.CHECKING, "", "", "", 0)}
    version.refresh_from_db()
    assert version.state == VersionState.READY


@pytest.mark.django_db
def test_a_reader_that_is_killed_costs_an_attempt_at_most(
    upload: Callable[..., DatasetVersion], run_jobs: Callable[..., None], compute: Path
) -> None:
    killer = Killer(compute, times=1, readers=True, delays=(0.0, 0.02))
    version = run_with(killer, run_jobs, upload(chat_file(24)))
    assert len(killer.killed) == 1
    assert version.state == VersionState.READY, version.error_text
    assert is_whole(version)


def start_child(run: Path, content: bytes) -> subprocess.Popen[bytes]:
    (run / "inputs" / "upload").mkdir(parents=True)
    (run / "inputs" / "upload" / "upload").write_bytes(content)
    (run / "spec.json").write_text(IngestSpec(bytes=len(content)).to_json())
    return subprocess.Popen([sys.executable, "-m", "corpora.ingest", "--run-dir", str(run)], cwd=ROOT)


def wait_for_readers(child: subprocess.Popen[bytes]) -> list[psutil.Process]:
    while child.poll() is None:
        readers = psutil.Process(child.pid).children()
        if len(readers) > 1:
            return readers
        time.sleep(0.002)
    raise AssertionError("the child ended before it had readers")


def test_a_child_that_is_asked_to_end_takes_its_readers_along(tmp_path: Path) -> None:
    child = start_child(tmp_path, chat_file(60))
    readers = wait_for_readers(child)
    child.terminate()
    assert child.wait(timeout=60) == 1
    assert not any(reader.is_running() for reader in readers)
    result = json.loads((tmp_path / "result.json").read_text())
    assert (result["cancelled"], result["error"]["code"], result["artifacts"]) == (True, "dataset:cancelled", [])


def test_readers_end_when_their_child_is_killed(tmp_path: Path) -> None:
    child = start_child(tmp_path, chat_file(60))
    readers = wait_for_readers(child)
    child.kill()
    child.wait()
    _, alive = psutil.wait_procs(readers, timeout=60)
    assert alive == []


def peak_mebibytes(run: Path, content: bytes) -> float:
    """The most that a child and its readers held at one time, what they share counted once."""
    peak = 0
    with start_child(run, content) as child:
        while child.poll() is None:
            with suppress(psutil.Error, ProcessLookupError):
                family = [psutil.Process(child.pid), *psutil.Process(child.pid).children()]
                peak = max(peak, sum(process.memory_full_info().pss for process in family))
            time.sleep(0.02)
    assert json.loads((run / "result.json").read_text())["ok"]
    return peak / (1 << 20)


def test_memory_stays_below_its_bound_and_does_not_grow_with_the_file(tmp_path: Path) -> None:
    small = peak_mebibytes(tmp_path / "small", chat_file(40))
    large = peak_mebibytes(tmp_path / "large", chat_file(150))
    assert large < 128
    assert large - small < 16
