"""The project's own Valkey server, on 127.0.0.1 with a password."""

import signal
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from portal.embedded.binaries import find_valkey
from portal.embedded.process import EmbeddedServiceError, free_port, last_lines, open_log, spawn, stop

_START_SECONDS = 30.0
# Snapshots besides would add nothing, and one that fails keeps the server from ending when it is told to.
_DURABLE = 'save ""\nappendonly yes\nappendfsync everysec\n'
_NOT_DURABLE = 'save ""\nappendonly no\n'


@dataclass
class Valkey:
    """The server with its data under `folder`; `start` adopts one that already runs there."""

    folder: Path
    log: Path
    password: str
    durable: bool = True
    port: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def owned(self) -> bool:
        """Whether this object started the server, and so must stop it."""
        return self._process is not None

    @property
    def died(self) -> bool:
        """Whether the server that this object started has ended unexpectedly."""
        return self._process is not None and self._process.poll() is not None

    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self, *, preferred_port: int | None, only_there: bool = False) -> None:
        """Start the server, or adopt the one on the last port if it accepts our password.

        `only_there`: fail rather than use another port, because other processes already use this one.
        """
        if preferred_port and self._wait_until_gone_or_answers(preferred_port):
            self.port = preferred_port
            return
        program = find_valkey()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for _attempt in range(3):
            self.port = preferred_port if only_there and preferred_port else free_port(preferred_port)
            if self._launch(program):
                return
            preferred_port = preferred_port if only_there else None
        raise EmbeddedServiceError(f"The embedded Valkey did not start; {self.log} ends with:\n{last_lines(self.log)}")

    def stop(self) -> None:
        if self._process is not None:
            stop(self._process, ((signal.SIGTERM, 20.0),))
            self._process = None

    def _launch(self, program: str) -> bool:
        # Every user of the machine can read arguments, so the password is passed through standard input.
        configuration = (
            f'bind 127.0.0.1\nport {self.port}\ndir "{self.folder}"\nrequirepass {self.password}\n'
            f"databases 64\n{_DURABLE if self.durable else _NOT_DURABLE}"
        )
        with open_log(self.log) as log:
            process = spawn([program, "-"], log=log, death_signal=signal.SIGTERM, stdin=subprocess.PIPE)
        if process.stdin is not None:
            with suppress(BrokenPipeError), process.stdin as stdin:
                stdin.write(configuration.encode())
        deadline = time.monotonic() + _START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if self._ask(self.port) == "PONG":
                self._process = process
                return True
            time.sleep(0.02)
        stop(process, ((signal.SIGTERM, 5.0),))
        return False

    def _wait_until_gone_or_answers(self, port: int) -> bool:
        """Whether our server answers, after waiting for it to load its data; false if it does not run."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            answer = self._ask(port)
            if answer == "PONG":
                return True
            if answer != "LOADING":
                return False
            time.sleep(0.1)
        return False

    def _ask(self, port: int) -> str:
        """Send PING with the password. Returns "PONG", another first word of the reply, or "" without a reply."""
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                received = b""
                while received.count(b"\r\n") < 2 and (part := connection.recv(512)):
                    received += part
        except OSError:
            return ""
        lines = received.decode(errors="replace").split("\r\n")
        if not lines[0].startswith("+OK") or len(lines) < 2 or not lines[1]:
            return ""
        return lines[1].lstrip("+-").split()[0]
