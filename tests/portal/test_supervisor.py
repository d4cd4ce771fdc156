"""The supervisor: starts, restarts, waits, stops in order, and leaves nothing behind."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from portal.embedded.process import free_port
from portal.supervisor.console import Console
from portal.supervisor.processes import Ports, Process, site_processes
from portal.supervisor.supervisor import Supervisor, SupervisorError

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SLEEPER = "import time; print('awake', flush=True); time.sleep(600)"
BEATS = """
import os, pathlib, time
print("awake", flush=True)
while True:
    pathlib.Path(os.environ["HEARTBEAT_FILE"]).touch()
    time.sleep(0.1)
"""
NOTES_ITS_END = """
import pathlib, signal, sys, time
def end(*_):
    with pathlib.Path(sys.argv[1]).open("a") as file:
        file.write(sys.argv[2] + " ")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("awake", flush=True)
time.sleep(600)
"""
IGNORES_ITS_END = "import signal, time; signal.signal(15, signal.SIG_IGN); print('awake', flush=True); time.sleep(600)"


def python(name: str, code: str, *arguments: str, **options: object) -> Process:
    return Process(name=name, argv=(sys.executable, "-c", code, *arguments), **options)  # type: ignore[arg-type]


@contextmanager
def running(folder: Path, *processes: Process) -> Iterator[Supervisor]:
    supervisor = Supervisor(processes, Console(folder, screen=None))
    supervisor.start()
    try:
        yield supervisor
    finally:
        supervisor.stop()


def eventually(condition: Callable[[], object], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "never came true"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def has_said(folder: Path, name: str, text: str) -> bool:
    log = folder / f"{name}.log"
    return log.exists() and text in log.read_text()


def test_a_killed_process_is_started_again(tmp_path: Path) -> None:
    with running(tmp_path, python("sleeper", SLEEPER)) as supervisor:
        supervisor.wait_ready()
        first = supervisor.pid("sleeper")
        assert first is not None
        os.kill(first, signal.SIGKILL)
        eventually(lambda: supervisor.pid("sleeper") not in (None, first))
        assert supervisor.restarts("sleeper") == 1
        assert "ended with status -9; starting again" in (tmp_path / "sleeper.log").read_text()


def test_a_process_that_hangs_is_started_again(tmp_path: Path) -> None:
    beating = python("beating", BEATS, heartbeat=tmp_path / "heartbeat", heartbeat_seconds=3.0)
    with running(tmp_path, beating) as supervisor:
        eventually(lambda: has_said(tmp_path, "beating", "awake"))
        first = supervisor.pid("beating")
        assert first is not None
        time.sleep(4)
        assert supervisor.pid("beating") == first, "it was left alone for as long as it gave signs of life"
        os.kill(first, signal.SIGSTOP)
        eventually(lambda: supervisor.pid("beating") not in (None, first))
        assert "gives no sign of life; killed" in (tmp_path / "beating.log").read_text()
        assert not is_alive(first)


def test_restarts_of_a_failing_process_slow_down(tmp_path: Path) -> None:
    with running(tmp_path, python("broken", "raise SystemExit(3)")) as supervisor:
        eventually(lambda: supervisor.restarts("broken") == 2)
        log = (tmp_path / "broken.log").read_text()
        assert "status 3; starting again in 1 s" in log
        eventually(lambda: has_said(tmp_path, "broken", "status 3; starting again in 4 s"))


def test_ready_means_the_health_address_answers(tmp_path: Path) -> None:
    port = free_port()
    web = Process(
        name="web",
        argv=(
            sys.executable,
            "-m",
            "http.server",
            str(port),
            "--bind",
            "127.0.0.1",
            "--directory",
            str(tmp_path),
        ),
        health_url=f"http://127.0.0.1:{port}/",
    )
    with running(tmp_path, web) as supervisor:
        supervisor.wait_ready(timeout=60)


def test_a_process_that_is_never_ready_is_named_with_its_last_words(tmp_path: Path) -> None:
    deaf = python("deaf", SLEEPER, health_url=f"http://127.0.0.1:{free_port()}/")
    with running(tmp_path, deaf) as supervisor:
        eventually(lambda: has_said(tmp_path, "deaf", "awake"))
        with pytest.raises(SupervisorError, match=r"(?s)deaf did not become ready within 0 s.*awake"):
            supervisor.wait_ready(timeout=0.3)


def test_processes_stop_in_reverse_order(tmp_path: Path) -> None:
    ends = tmp_path / "ends"
    processes = [python(name, NOTES_ITS_END, str(ends), name) for name in ("one", "two", "three")]
    with running(tmp_path, *processes):
        eventually(lambda: all(has_said(tmp_path, process.name, "awake") for process in processes))
    assert ends.read_text() == "three two one "


def test_a_process_that_will_not_end_is_killed(tmp_path: Path) -> None:
    with running(tmp_path, python("deaf", IGNORES_ITS_END, stop_seconds=0.2)) as supervisor:
        eventually(lambda: has_said(tmp_path, "deaf", "awake"))
        pid = supervisor.pid("deaf")
    assert pid is not None
    assert not is_alive(pid)


def test_the_processes_die_with_a_killed_supervisor(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from portal.supervisor.console import Console\n"
        "from portal.supervisor.processes import Process\n"
        "from portal.supervisor.supervisor import Supervisor\n"
        f"child = Process(name='sleeper', argv=(sys.executable, '-c', {SLEEPER!r}))\n"
        "supervisor = Supervisor([child], Console(Path(sys.argv[1]), screen=None))\n"
        "supervisor.start(); supervisor.wait_ready()\n"
        "print(supervisor.pid('sleeper'), flush=True); time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert is_alive(child)
    parent.kill()
    parent.communicate()
    eventually(lambda: not is_alive(child))


def test_the_screen_shows_every_line_under_its_process(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(tmp_path, screen=sys.stdout)
    console.write("web", "hello")
    console.write("worker", "there")
    console.close()
    assert capsys.readouterr().out == "      web | hello\n   worker | there\n"
    assert (tmp_path / "web.log").read_text() == "hello\n"


class ClosedTerminal(io.StringIO):
    def write(self, _text: str) -> int:
        raise BrokenPipeError


def test_a_closed_terminal_loses_no_line(tmp_path: Path) -> None:
    console = Console(tmp_path, screen=ClosedTerminal())
    console.write("web", "one")
    console.write("web", "two")
    console.close()
    assert (tmp_path / "web.log").read_text() == "one\ntwo\n"


def test_a_log_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "sleeper.log").symlink_to("/dev/full")
    with running(tmp_path, python("sleeper", SLEEPER)) as supervisor:
        supervisor.wait_ready()
        first = supervisor.pid("sleeper")
        assert first is not None
        os.kill(first, signal.SIGKILL)
        eventually(lambda: supervisor.pid("sleeper") not in (None, first))


def test_a_process_that_cannot_be_started_is_started_later(tmp_path: Path) -> None:
    folder = tmp_path / "missing"
    beating = python("beating", BEATS, heartbeat=folder / "heartbeat")
    with running(tmp_path, beating) as supervisor:
        eventually(lambda: has_said(tmp_path, "beating", "could not be started: No such file or directory"))
        folder.mkdir()
        eventually(lambda: supervisor.pid("beating"))


def test_a_log_says_how_many_lines_it_lost(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.touch()
    console = Console(folder, screen=None)
    console.write("web", "one")
    console.write("web", "two")
    folder.unlink()
    console.write("web", "three")
    console.close()
    assert (folder / "web.log").read_text() == "\n2 lines could not be written here\nthree\n"


def test_a_log_begins_again_before_it_fills_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.embedded.process.LOG_LIMIT_BYTES", 10)
    monkeypatch.setattr("portal.supervisor.console.LOG_LIMIT_BYTES", 10)
    console = Console(tmp_path, screen=None)
    for line in ("first line", "second line", "third line"):
        console.write("web", line)
    console.close()
    assert (tmp_path / "web.log").read_text() == "third line\n"
    assert (tmp_path / "web.old.log").read_text() == "second line\n"


def test_the_site_runs_every_part_with_one_shared_environment(tmp_path: Path) -> None:
    env = {"ENGINE_URL": "http://127.0.0.1:9"}
    ports = Ports(web=1, gateway=2, engine=3, engines=4)
    options: dict[str, Any] = {"base_model": tmp_path, "base_id": "tiny", "max_rank": 64, "var": tmp_path, "env": env}
    processes = site_processes(ports, **options, has_engine=True)
    without = site_processes(ports, **options, has_engine=False)
    assert [process.name for process in without] == ["web", "gateway", "gateway-2", "worker", "beat"]
    names = ["engine", "engines", "web", "gateway", "gateway-2", "worker", "beat"]
    assert [process.name for process in processes] == names
    assert all(process.env == env for process in processes)
    assert [process.health_url for process in processes if process.health_url] == [
        "http://127.0.0.1:3/health",
        "http://127.0.0.1:4/health",
        "http://127.0.0.1:1/health/",
        "http://127.0.0.1:2/health",
        "http://127.0.0.1:2/health",
    ]
