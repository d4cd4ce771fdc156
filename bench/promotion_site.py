"""A site of its own for bench/promotion.py, its processes, and callers whose versions are told apart by an answer."""

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import psutil

from bench.report import ROOT
from portal.embedded.process import free_port, spawn

BASE = ROOT / "lorakit" / "tiny" / "model"
PROMPT = "Repeat: amber."
TOKENS = 8
START_SECONDS = 300.0

PARTS = {
    "engine": "lorakit.serve",
    "gateway": "serving.gateway",
    "database": "bin/postgres",
    "broker": "valkey-server",
}
"""What to kill, and a word of its command line."""


@dataclass
class Caller:
    """A tenant with one alias: its versions in order, what each answers to PROMPT, and the number of the live one."""

    tenant: Any
    token: str
    alias: str
    versions: list[Any] = field(default_factory=list)
    answers: dict[int, str] = field(default_factory=dict)
    live: int = 0


@dataclass(frozen=True)
class Site:
    """Addresses of a running site; the supervisor's process is `up`."""

    up: psutil.Process
    gateway: str
    engine: str

    def processes(self, part: str) -> list[psutil.Process]:
        """The running processes of a part. Of the database only the one that started the others."""
        found = []
        for process in self.up.children(recursive=True):
            try:
                of_part = PARTS[part] in " ".join(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE
                if of_part and process.ppid() == self.up.pid:
                    found.append(process)
            except psutil.NoSuchProcess:
                continue
        return found

    def engine_client(self) -> httpx.Client:
        """The engine as the portal reaches it."""
        return httpx.Client(base_url=self.engine, headers=self.engine_headers(), timeout=60, trust_env=False)

    def engine_headers(self) -> dict[str, str]:
        """With the key that the supervisor made for the engine; none for one that it did not start."""
        keys = [engine.environ()["ENGINE_API_KEY"] for engine in self.processes("engine")]
        return {"authorization": f"Bearer {keys[0]}"} if keys else {}


@contextmanager
def running_site() -> Iterator[Site]:
    """`manage.py up` in a folder of its own, which this process's Django uses too."""
    with tempfile.TemporaryDirectory(prefix="adapter-portal-bench-") as folder, patch.dict(os.environ):
        Path(folder).chmod(0o755)
        for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "SECRET_KEY"):
            os.environ.pop(name, None)
        ports = {name: free_port() for name in ("port", "gateway-port", "engine-port")}
        os.environ |= {
            "PORTAL_VAR": folder,
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "LOG_LEVEL": "ERROR",
            # All callers share one address here, and a hundred of them wait while the engine is away.
            "GATEWAY_CONNECTIONS_PER_ADDRESS": "0",
        }
        command = [
            sys.executable,
            "manage.py",
            "up",
            *(w for name, port in ports.items() for w in (f"--{name}", str(port))),
        ]
        child = spawn(command, log=subprocess.PIPE, death_signal=signal.SIGTERM, cwd=ROOT)
        try:
            _wait_until_ready(child)
            import django

            django.setup()
            yield Site(
                psutil.Process(child.pid),
                f"http://127.0.0.1:{ports['gateway-port']}",
                f"http://127.0.0.1:{ports['engine-port']}",
            )
        finally:
            child.terminate()
            child.wait(90)


def _wait_until_ready(child: subprocess.Popen[bytes]) -> None:
    assert child.stdout is not None
    too_late = threading.Timer(START_SECONDS, child.kill)
    too_late.start()
    said = []
    for line in child.stdout:
        said.append(line.decode(errors="replace"))
        if b"ready: " in line:
            too_late.cancel()
            # Somebody must go on reading, or the site would stop at a full pipe.
            threading.Thread(target=child.stdout.read, daemon=True).start()
            return
    raise RuntimeError("the site did not start:\n" + "".join(said[-20:]))


def seed(site: Site, *, callers: int, versions: int) -> list[Caller]:
    """Tenants, each with an adapter and its versions; none is live."""
    from bench.promotion_rows import add_version
    from lorakit.tiny.canaries import pack_canary
    from serving.models import Endpoint
    from tenants.keys.services import create_api_key
    from tenants.models import User
    from tenants.people.services import create_tenant
    from tenants.scope import tenant_scope

    endpoint = Endpoint.objects.select_related("base_model").get()
    found = []
    with tempfile.TemporaryDirectory() as folder, site.engine_client() as engine:
        for number in range(callers):
            owner = User.objects.create_user(f"owner-{number}@example.com", name="Owner")
            tenant = create_tenant(name=f"Bench {number}", owner=owner)
            with tenant_scope(tenant.id):
                _, token = create_api_key(tenant=tenant, name="bench")
                caller = Caller(tenant, token, f"desk-{number}")
                for index in range(1, versions + 1):
                    package = Path(folder) / f"{number}-{index}.tar.gz"
                    sha256 = pack_canary(BASE, package, seed=1000 * number + index)
                    caller.answers[index], known = _answers_of(engine, package)
                    caller.versions.append(
                        add_version(tenant, endpoint.base_model, caller.alias, package, sha256, (PROMPT, known))
                    )
            found.append(caller)
    texts = [text for caller in found for text in caller.answers.values()]
    if len(set(texts)) != len(texts):
        raise RuntimeError("Two versions answer alike. Choose other seeds.")
    return found


def _answers_of(engine: httpx.Client, package: Path) -> tuple[str, str]:
    """What a package answers in TOKENS, and in as many as an evaluation would have let it."""
    from evaluations.runs.stages.rows import MIN_NEW_TOKENS

    engine.post("/v1/load_lora_adapter", json={"lora_name": "probe", "lora_path": str(package)}).raise_for_status()
    texts = []
    for tokens in (TOKENS, MIN_NEW_TOKENS):
        body = {"model": "probe", "messages": messages(), "max_tokens": tokens, "temperature": 0}
        done = engine.post("/v1/chat/completions", json=body).raise_for_status().json()
        texts.append(str(done["choices"][0]["message"]["content"]))
    engine.post("/v1/unload_lora_adapter", json={"lora_name": "probe"}).raise_for_status()
    return texts[0], texts[1]


def messages(text: str = PROMPT) -> list[Any]:
    """A chat of one question."""
    return [{"role": "user", "content": text}]


def promote(caller: Caller, number: int) -> tuple[float, float]:
    """Promote a version and wait for the job. When it was switched, and when that was seen; seconds since 1970."""
    from jobs.states import TERMINAL, State
    from serving.models import Promotion, Route
    from serving.promotions.services import promote_version
    from tenants.scope import tenant_scope

    with tenant_scope(caller.tenant.id):
        version = caller.versions[number - 1]
        promotion = promote_version(tenant=caller.tenant, version=version, created_by=None)
        while True:
            job = Promotion.objects.select_related("job").get(id=promotion.id).job
            if job is not None and job.state in TERMINAL:
                break
            time.sleep(0.1)
        if job.state != State.SUCCEEDED:
            raise RuntimeError(f"{caller.alias} v{number} was not promoted: {job.error_text}")
        switched = _switched(Route.objects.get(alias=caller.alias))
    caller.live = number
    return switched, time.time()


def roll_back(caller: Caller) -> tuple[float, float]:
    """Make the previous version live. When it was switched, and when that was committed; seconds since 1970."""
    from serving.models import Route
    from serving.promotions import services
    from tenants.scope import tenant_scope

    with tenant_scope(caller.tenant.id):
        route = Route.objects.get(alias=caller.alias)
        services.roll_back(tenant=caller.tenant, route=route, created_by=None)
        committed = time.time()
        return _switched(Route.objects.get(id=route.id)), committed


def _switched(route: Any) -> float:
    return float(route.switched_at.timestamp())


def new_name() -> str:
    """A name at the engine that is no deployment's."""
    return f"bench-{secrets.token_hex(6)}"
