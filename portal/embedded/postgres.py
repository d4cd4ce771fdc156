"""The project's own PostgreSQL cluster: two roles, one database, no superuser that can sign in."""

import secrets
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from portal.embedded.binaries import OPEN_FOLDER, PostgresBinaries, find_postgres
from portal.embedded.process import (
    UNPRIVILEGED_ID,
    EmbeddedServiceError,
    free_port,
    give_to_unprivileged,
    is_root,
    last_lines,
    minimal_environment,
    open_log,
    reachable_by_unprivileged,
    spawn,
    stop,
)

DATABASE = "portal"
OWNER = "portal_owner"
APP = "portal_app"

# Only the two roles may connect, with a password. The superuser can only be used in single-user mode.
_HOST_ACCESS = f"host all {OWNER},{APP} 127.0.0.1/32 scram-sha-256\n"
_NOT_DURABLE = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
    "max_wal_size=4GB",
)
_START_SECONDS = 60.0
_STOP_SIGNALS = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 10.0))


@dataclass
class Postgres:
    """The server on the cluster under `folder`; `start` adopts one that already runs there."""

    folder: Path
    log: Path
    passwords: dict[str, str]
    durable: bool = True
    port: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not reachable_by_unprivileged(self.folder.parent):
            self.folder = _open_folder(self.folder)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def owned(self) -> bool:
        """Whether this object started the server, and so must stop it."""
        return self._process is not None

    @property
    def died(self) -> bool:
        """Whether the server that this object started has ended unexpectedly."""
        return self._process is not None and self._process.poll() is not None

    def url(self, role: str) -> str:
        return f"postgres://{role}:{self.passwords[role]}@127.0.0.1:{self.port}/{DATABASE}"

    def start(self, *, preferred_port: int | None, passwords_changed: bool, only_there: bool = False) -> None:
        """Create the cluster if there is none, start or adopt its server, and wait until it answers.

        `only_there`: fail rather than use another port, because other processes already use this one.
        """
        if self._adopt():
            return
        binaries = find_postgres(major=self._data_major())
        if not self.data.exists():
            self._create(binaries)
        elif passwords_changed:
            self._single_user(binaries, self.data, "postgres", _PASSWORDS_SQL.format(**self.passwords))
        for _attempt in range(3):
            self.port = preferred_port if only_there and preferred_port else free_port(preferred_port)
            if self._launch(binaries):
                return
            preferred_port = preferred_port if only_there else None
        raise EmbeddedServiceError(
            f"The embedded PostgreSQL did not start; {self.log} ends with:\n{last_lines(self.log)}"
        )

    def stop(self) -> None:
        if self._process is not None:
            stop(self._process, _STOP_SIGNALS)
            self._process = None

    def _adopt(self) -> bool:
        """Adopt a running server, wait for one that is stopping, or remove a dead one's pid file."""
        deadline = time.monotonic() + _START_SECONDS
        while (mark := _read_mark(self.data)) is not None:
            if not _is_server_of(mark.pid, self.data):
                # After a crash another process may have this pid, and the server would refuse to start.
                (self.data / "postmaster.pid").unlink(missing_ok=True)
                return False
            if mark.status == "ready":
                self.port = mark.port
                return True
            if time.monotonic() > deadline:
                raise EmbeddedServiceError(
                    f"PostgreSQL process {mark.pid} on {self.data} has been "
                    f"{mark.status or 'starting'} for a minute. Stop it, then start again."
                )
            time.sleep(0.1)
        return False

    def _launch(self, binaries: PostgresBinaries) -> bool:
        settings = [
            f"port={self.port}",
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=200",
            # Keep customers' rows out of the log: neither statements nor error details.
            "log_min_error_statement=panic",
            "log_error_verbosity=terse",
            *(() if self.durable else _NOT_DURABLE),
        ]
        argv = [binaries.path("postgres"), "-D", str(self.data)]
        for setting in settings:
            argv += ["-c", setting]
        with open_log(self.log) as log:
            process = spawn(
                argv,
                log=log,
                death_signal=signal.SIGINT,
                env=minimal_environment(),
                cwd=self.folder,
                drop_privileges=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            mark = _read_mark(self.data)
            if mark is not None and mark.pid == process.pid and mark.status == "ready":
                self._process = process
                return True
            time.sleep(0.02)
        stop(process, _STOP_SIGNALS)
        return False

    def _create(self, binaries: PostgresBinaries) -> None:
        """Build the cluster in a neighbouring folder and rename it, so that an incomplete one is never used."""
        self.folder.mkdir(parents=True, exist_ok=True)
        give_to_unprivileged(self.folder)
        fresh = self.folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        argv = [binaries.path("initdb"), "-D", str(fresh), "-U", "postgres", "-A", "trust"]
        argv += ["-E", "UTF8", "--locale=C.UTF-8", "--no-instructions"]
        _run([*argv, *(() if self.durable else ("--no-sync",))], cwd=self.folder)
        (fresh / "pg_hba.conf").write_text(_HOST_ACCESS)
        flags = self.passwords | {"owner_flags": "" if self.durable else "CREATEDB"}
        self._single_user(binaries, fresh, "postgres", _ROLES_SQL.format(**flags))
        self._single_user(binaries, fresh, DATABASE, _SCHEMA_SQL)
        fresh.rename(self.data)

    def _single_user(self, binaries: PostgresBinaries, data: Path, database: str, statements: str) -> None:
        """Run SQL as superuser without a listening server; a blank line ends each statement (`-j`)."""
        argv = [binaries.path("postgres"), "--single", "-j", "-D", str(data), "-c", "exit_on_error=on"]
        argv += [] if self.durable else ["-c", "fsync=off"]
        _run([*argv, database], cwd=self.folder, stdin=statements)

    def _data_major(self) -> int | None:
        version = self.data / "PG_VERSION"
        return int(version.read_text()) if version.exists() else None


def _open_folder(folder: Path) -> Path:
    """The folder that replaces a `folder` which the unprivileged server cannot enter."""
    note = folder / "location"
    if not note.exists():
        folder.mkdir(parents=True, exist_ok=True)
        note.write_text(str(OPEN_FOLDER / secrets.token_hex(8)))
    return Path(note.read_text())


_PASSWORDS_SQL = f"""\
ALTER ROLE {OWNER} PASSWORD '{{{OWNER}}}';

ALTER ROLE {APP} PASSWORD '{{{APP}}}';

"""
_ROLES_SQL = f"""\
CREATE ROLE {OWNER} LOGIN NOSUPERUSER NOCREATEROLE NOBYPASSRLS {{owner_flags}} PASSWORD '{{{OWNER}}}';

CREATE ROLE {APP} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD '{{{APP}}}';

CREATE DATABASE {DATABASE} OWNER {OWNER};

REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC;

GRANT CONNECT ON DATABASE {DATABASE} TO {APP};

"""
_SCHEMA_SQL = f"""\
ALTER SCHEMA public OWNER TO {OWNER};

REVOKE CREATE ON SCHEMA public FROM PUBLIC;

GRANT USAGE ON SCHEMA public TO {APP};

ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APP};

ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT USAGE, SELECT ON SEQUENCES TO {APP};

"""


@dataclass(frozen=True)
class _Mark:
    pid: int
    port: int
    status: str


def _read_mark(data: Path) -> _Mark | None:
    """The content of `postmaster.pid`; port 0 and no status until the server has written those lines."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        return _Mark(
            pid=int(lines[0]),
            port=int(lines[3]) if len(lines) > 3 and lines[3].strip() else 0,
            status=lines[7].strip() if len(lines) > 7 else "",
        )
    except (FileNotFoundError, IndexError, ValueError):
        return None


def _is_server_of(pid: int, data: Path) -> bool:
    """Whether process `pid` is a server whose working directory is this cluster."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == data.resolve()
    except OSError:
        return False


def _run(argv: list[str], *, cwd: Path, stdin: str = "") -> None:
    ids = {"user": UNPRIVILEGED_ID, "group": UNPRIVILEGED_ID} if is_root() else {}
    done = subprocess.run(
        argv,
        input=stdin,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=minimal_environment(),
        timeout=120,
        user=ids.get("user"),
        group=ids.get("group"),
        extra_groups=[] if is_root() else None,
    )
    if done.returncode != 0:
        # Single-user mode prints a failing statement, and the statements contain passwords.
        text = "\n".join(line for line in done.stderr.splitlines() if "STATEMENT" not in line)[-1000:]
        raise EmbeddedServiceError(f"{Path(argv[0]).name} failed while preparing PostgreSQL: {text}")
