"""Starts the services that the environment does not already name, and gives the settings their URLs."""

import os
from pathlib import Path
from typing import Self

from portal.embedded.postgres import APP, OWNER, Postgres
from portal.embedded.state import exclusive, load_passwords, read_json, write_json
from portal.embedded.valkey import Valkey

URL_NAMES = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")


class Services:
    """The site's database and broker, embedded or named by the environment.

    `urls` holds DATABASE_URL (the role of the running site), DATABASE_OWNER_URL (the role that migrates) and
    REDIS_URL.
    """

    def __init__(self, var: Path, *, durable: bool = True) -> None:
        self._run = var / "run"
        self._var = var
        self._durable = durable
        self._postgres: Postgres | None = None
        self._valkey: Valkey | None = None
        self.urls: dict[str, str] = {}

    def start(self) -> Self:
        """Start or adopt the services that are needed. Raises EmbeddedServiceError that says what to do."""
        with exclusive(self._run / "embedded.lock"):
            try:
                self._start()
            except BaseException:
                self._stop_servers()
                raise
        return self

    def revive(self) -> list[str]:
        """Restart our servers that have died, on the same ports. Returns the names of those restarted.

        The servers die with the thread that calls this. Raises EmbeddedServiceError if one does not restart.
        """
        revived = []
        with exclusive(self._run / "embedded.lock"):
            if self._postgres is not None and self._postgres.died:
                self._postgres.start(preferred_port=self._postgres.port, passwords_changed=False, only_there=True)
                revived.append("PostgreSQL")
            if self._valkey is not None and self._valkey.died:
                self._valkey.start(preferred_port=self._valkey.port, only_there=True)
                revived.append("Valkey")
        return revived

    def stop(self) -> None:
        """Stop the servers that this object started; adopted ones keep running."""
        with exclusive(self._run / "embedded.lock"):
            ours = [server for server in (self._postgres, self._valkey) if server is not None and server.owned]
            self._stop_servers()
            if ours:
                remembered = read_json(self._run / "services.json")
                write_json(self._run / "services.json", {"ports": remembered.get("ports", {}), "urls": {}})

    def __enter__(self) -> Self:
        # A second start would adopt the servers of the first, and leave stopping them to nobody.
        return self if self.urls else self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _start(self) -> None:
        self.urls = urls_from_environment()
        remembered = read_json(self._run / "services.json")
        ports = dict(remembered.get("ports", {}))
        if set(self.urls) >= set(URL_NAMES):
            return
        passwords, changed = load_passwords(self._run / "secrets.json")
        logs = self._var / "log"
        if "DATABASE_URL" not in self.urls:
            self._postgres = Postgres(self._var / "postgres", logs / "postgres.log", passwords, self._durable)
            self._postgres.start(preferred_port=ports.get("postgres"), passwords_changed=changed)
            ports["postgres"] = self._postgres.port
            self.urls |= {
                "DATABASE_URL": self._postgres.url(APP),
                "DATABASE_OWNER_URL": self._postgres.url(OWNER),
            }
        if "REDIS_URL" not in self.urls:
            self._valkey = Valkey(self._var / "valkey", logs / "valkey.log", passwords["valkey"], self._durable)
            self._valkey.start(preferred_port=ports.get("valkey"))
            ports["valkey"] = self._valkey.port
            self.urls["REDIS_URL"] = self._valkey.url()
        write_json(self._run / "services.json", {"ports": ports, "urls": self.urls})

    def _stop_servers(self) -> None:
        for server in (self._valkey, self._postgres):
            if server is not None:
                server.stop()


def start(var: Path, *, durable: bool = True) -> Services:
    """Start or adopt the services under `var`. `durable=False`, for tests, is faster but may lose data."""
    return Services(var, durable=durable).start()


def current_urls(var: Path) -> dict[str, str]:
    """The services' URLs: those in the environment, otherwise those last started under `var`, if any."""
    known = read_json(var / "run" / "services.json").get("urls", {})
    return {name: str(known[name]) for name in URL_NAMES if name in known} | urls_from_environment()


def urls_from_environment() -> dict[str, str]:
    """DATABASE_URL, DATABASE_OWNER_URL and REDIS_URL if set; the second defaults to the first."""
    urls = {name: os.environ[name] for name in URL_NAMES if os.environ.get(name)}
    if "DATABASE_URL" in urls:
        urls.setdefault("DATABASE_OWNER_URL", urls["DATABASE_URL"])
    else:
        urls.pop("DATABASE_OWNER_URL", None)
    return urls
