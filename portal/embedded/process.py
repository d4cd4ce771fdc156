"""Child processes that cannot outlive the process that started them (Linux)."""

import ctypes
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

UNPRIVILEGED_ID = 65534
_PR_SET_PDEATHSIG = 1
LOG_LIMIT_BYTES = 16 * 1024 * 1024

_libc = ctypes.CDLL(None, use_errno=True)


class EmbeddedServiceError(Exception):
    """An embedded service was not found or did not start; the text says what to do."""


def die_with_parent(death_signal: signal.Signals) -> Callable[[], None]:
    """A `preexec_fn`: the kernel sends the child `death_signal` when the thread that forked it ends for any reason.

    Start children from a thread that lives as long as they should, normally the main one.
    """
    parent = os.getpid()

    def in_child() -> None:
        if _libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
            os._exit(70)
        # The parent may have died between fork and prctl; then no signal would ever come.
        if os.getppid() != parent:
            os._exit(70)

    return in_child


def spawn(
    argv: Sequence[str],
    *,
    log: IO[bytes] | int,
    death_signal: signal.Signals,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: IO[bytes] | int = subprocess.DEVNULL,
    drop_privileges: bool = False,
) -> subprocess.Popen[bytes]:
    """Start `argv` in its own session, tied to this process's life, with both outputs appended to `log`.

    `drop_privileges` runs the child as an unprivileged user if this process is root.
    """
    return subprocess.Popen(
        argv,
        stdin=stdin,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=None if env is None else dict(env),
        cwd=cwd,
        start_new_session=True,
        preexec_fn=die_with_parent(death_signal),
        user=UNPRIVILEGED_ID if drop_privileges and is_root() else None,
        group=UNPRIVILEGED_ID if drop_privileges and is_root() else None,
        extra_groups=[] if drop_privileges and is_root() else None,
    )


def stop(process: subprocess.Popen[bytes], signals: Sequence[tuple[signal.Signals, float]]) -> None:
    """Send each signal in turn and wait its number of seconds for the process to end; finally send SIGKILL."""
    for number, seconds in signals:
        if process.poll() is not None:
            return
        process.send_signal(number)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    if process.poll() is None:
        process.kill()
        process.wait()


def is_root() -> bool:
    return os.geteuid() == 0


def give_to_unprivileged(path: Path) -> None:
    """Make the user of unprivileged children the owner of `path`. Has no effect if this process is not root."""
    if is_root():
        os.chown(path, UNPRIVILEGED_ID, UNPRIVILEGED_ID)


def reachable_by_unprivileged(path: Path) -> bool:
    """Whether any user may enter every folder above `path` and read it. Always true if this process is not root."""
    if not is_root():
        return True
    path = path.resolve()
    folders = [folder for folder in path.parents if folder.exists()]
    return all(folder.stat().st_mode & 0o001 for folder in folders) and (
        not path.exists() or bool(path.stat().st_mode & 0o004) or path.stat().st_uid == UNPRIVILEGED_ID
    )


def minimal_environment() -> dict[str, str]:
    """The environment variables that a server needs, without secrets."""
    kept = ("PATH", "LD_LIBRARY_PATH", "TZ", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C.UTF-8"}


def open_log(path: Path) -> IO[bytes]:
    """Open a log for appending, unbuffered, starting it again once it has grown past 16 MiB."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
        path.replace(path.with_suffix(".old.log"))
    return path.open("ab", buffering=0)


def last_lines(path: Path, count: int = 12) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-count:]) if path.exists() else ""


def free_port(preferred: int | None = None, *, host: str = "127.0.0.1") -> int:
    """`preferred` if it is free, otherwise a port that the kernel chooses. Raises EmbeddedServiceError."""
    for port in (preferred, 0) if preferred else (0,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise EmbeddedServiceError(f"No free TCP port on {host}.")
