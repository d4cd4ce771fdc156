"""The whole site: database and broker, migrations, then the supervised processes."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Self

from django.conf import settings

from portal.embedded import runtime
from portal.embedded.process import EmbeddedServiceError, free_port, spawn, stop
from portal.engines.catalogue import site_encoder
from portal.secret_key import local_secret_key
from portal.supervisor.console import Console
from portal.supervisor.processes import ROOT, Ports, site_environment, site_processes
from portal.supervisor.supervisor import Supervisor, SupervisorError

_SERVICES_TICK_SECONDS = 1.0


class Site:
    """Everything `manage.py up` runs, for the demo and the browser tests too.

    `ports` are wishes until `start`, which takes the next free one where one is taken.
    """

    def __init__(
        self,
        *,
        var: Path,
        base_model: Path,
        base_id: str,
        console: Console,
        ports: Ports | None = None,
        has_engine: bool = True,
    ) -> None:
        self.ports = ports or Ports()
        self.services = runtime.Services(var)
        self._var = var
        self._base_model = base_model
        self._base_id = base_id
        self._has_engine = has_engine
        self._watcher: threading.Thread | None = None
        self._stopping = threading.Event()
        self._console = console
        self._supervisor: Supervisor | None = None
        self._lock: IO[str] | None = None

    def start(self) -> Self:
        """Start database and broker, migrate, bootstrap, then every process.

        Raises SupervisorError where the site already runs or a step fails, EmbeddedServiceError where the
        database or the broker cannot be started.
        """
        self._take_lock()
        self.ports = _free(self.ports)
        try:
            self._console.write("portal", "starting database and broker")
            self.services.start()
            self._watcher = threading.Thread(target=self._watch_services, name="services", daemon=True)
            self._watcher.start()
            # One that was configured goes first.
            folder = site_encoder(self._var) if self._has_engine and not settings.ENCODERS else None
            environment = site_environment(self.ports, encoder=folder.name if folder else "")
            environment |= {"PORTAL_VAR": str(self._var)}
            self._manage("migrate", "--no-input", env=environment | self._owner_environment())
            self._manage("bootstrap", env=environment)
            self._manage("collect", env=environment)
            processes = site_processes(
                self.ports,
                base_model=self._base_model,
                base_id=self._base_id,
                max_rank=settings.MAX_LORA_RANK,
                slots=settings.ENGINE_SLOTS,
                var=self._var,
                env=environment,
                has_engine=self._has_engine,
            )
            self._supervisor = Supervisor(processes, self._console)
            self._supervisor.start()
            self._note_address()
        except BaseException:
            self.stop()
            raise
        return self

    def wait_ready(self, timeout: float = 120.0) -> None:
        if self._supervisor is None:
            raise SupervisorError("The site was not started.")
        self._supervisor.wait_ready(timeout)

    def stop(self) -> None:
        """Stop the processes in reverse order, then broker and database."""
        if self._supervisor is not None:
            self._supervisor.stop()
        self._supervisor = None
        if self._watcher is not None:
            self._stopping.set()
            self._watcher.join()
        self.services.stop()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def kill(self) -> None:
        """Kill the processes without waiting; `stop` still stops the database cleanly."""
        if self._supervisor is not None:
            self._supervisor.kill()

    @property
    def supervisor(self) -> Supervisor:
        if self._supervisor is None:
            raise SupervisorError("The site was not started.")
        return self._supervisor

    def _watch_services(self) -> None:
        while not self._stopping.wait(_SERVICES_TICK_SECONDS):
            try:
                for name in self.services.revive():
                    self._console.write("portal", f"{name} died and was started again")
            except (EmbeddedServiceError, OSError) as error:
                # Also a full disk. A server dies with this thread, so it goes on whatever happens.
                self._console.write("portal", str(error))

    def _take_lock(self) -> None:
        path = self._var / "run" / "site.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            running = lock.read().strip()
            lock.close()
            raise SupervisorError(
                f"The site already runs{f' at {running}' if running else ''}. Stop it first."
            ) from None
        lock.truncate(0)
        self._lock = lock

    def _note_address(self) -> None:
        if self._lock is not None:
            self._lock.write(self.ports.web_url)
            self._lock.flush()

    def _owner_environment(self) -> dict[str, str]:
        # A set DATABASE_URL means a hosted site to the settings, and those must be given their key.
        key = {} if os.environ.get("SECRET_KEY") else {"SECRET_KEY": local_secret_key(self._var)}
        urls = self.services.urls
        return {"DATABASE_URL": urls["DATABASE_OWNER_URL"], "REDIS_URL": urls["REDIS_URL"]} | key

    def _manage(self, *arguments: str, env: Mapping[str, str]) -> None:
        name, lines = arguments[0], deque[str](maxlen=12)
        argv = [sys.executable, "manage.py", *arguments]
        step = spawn(argv, log=subprocess.PIPE, death_signal=signal.SIGTERM, env=os.environ | dict(env), cwd=ROOT)
        try:
            for line in step.stdout or ():
                lines.append(line.decode(errors="replace").rstrip())
                self._console.write(name, lines[-1])
            step.wait()
        finally:
            stop(step, [(signal.SIGTERM, 10.0)])
        if step.returncode != 0:
            text = "\n".join(lines)
            raise SupervisorError(f"manage.py {name} ended with status {step.returncode}:\n{text}")


def _free(ports: Ports) -> Ports:
    """The ports that are free, each taken one replaced by the next free number."""
    chosen: list[int] = []
    for wish in (ports.web, ports.gateway, ports.engine, ports.engines):
        port = wish
        while port in chosen or free_port(port, host=ports.host) != port:
            port += 1
        chosen.append(port)
    return replace(ports, web=chosen[0], gateway=chosen[1], engine=chosen[2], engines=chosen[3])
