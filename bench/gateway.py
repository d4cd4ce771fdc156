"""The gateway against itself as it was at BEFORE, in turns, in front of an engine that answers at once.

Each has a database and a folder of its own, and every request is looked up, forwarded, counted and flushed to disk.
Requests a second depend on what else the machine does; processor time of the gateway's process for each request does so
much less. `direct` is the engine without a gateway: what the clients and the engine themselves can do.
"""

import io
import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.report import ROOT, Goal, finish
from portal.embedded import runtime

BEFORE = "7dd5368"
"""The last one with httpx, h11, a flush for each record, and a look-up for each request that waits."""

WORK = (("whole", 1), ("whole", 8), ("whole", 32), ("whole", 128), ("stream", 8), ("stream", 32))
ROUNDS = 3
SECONDS = 3.0
PACKAGES = ("aiohttp", "httptools", "uvloop", "uvicorn", "starlette", "msgspec")
GOALS: dict[str, Goal] = {"whole_32_ratio": (">=", 2.0), "whole_128_ratio": (">=", 2.0)}

SEED = """
import django
django.setup()
from adapters.models import BaseModel
from serving.endpoints.services import ensure_endpoint
from tenants.models import Tenant
from tenants.scope import system_scope, tenant_scope
from tenants.keys.services import create_api_key
with system_scope():
    tenant = Tenant.objects.create(name="Bench", slug="bench")
    base = BaseModel.objects.create(name="tiny-llama", title="Tiny", location="nowhere")
    ensure_endpoint(name="shared", backend="default", base_model=base)
with tenant_scope(tenant.id):
    print(create_api_key(tenant=tenant, name="bench")[1])
"""


@dataclass(frozen=True)
class Server:
    """What the clients ask: `pid` is the process whose time is counted."""

    port: int
    token: str
    pid: int


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def child(command: list[str], port: int, *, cwd: Path, env: dict[str, str]) -> Iterator[int]:
    """A Python process that listens on a port; its id."""
    process = subprocess.Popen([sys.executable, *command], cwd=cwd, env=env)
    try:
        deadline = time.monotonic() + 120
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command} did not start")
            time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def gateway(tree: Path, command: list[str], engine_port: int) -> Iterator[Server]:
    """The gateway of a source tree, with a database of its own."""
    with tempfile.TemporaryDirectory(prefix="adapter-portal-bench-") as folder:
        Path(folder).chmod(0o755)
        with runtime.start(Path(folder)) as services:
            port = free_port()
            env = os.environ | services.urls
            env |= {
                "PORTAL_VAR": folder,
                "SECRET_KEY": secrets.token_urlsafe(48),
                "LOG_LEVEL": "ERROR",
                "ENGINE_URL": f"http://127.0.0.1:{engine_port}",
                "DJANGO_SETTINGS_MODULE": "portal.settings",
                "PYTHONPATH": str(tree),
            }
            owner = env | {"DATABASE_URL": services.urls["DATABASE_OWNER_URL"]}
            subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], cwd=tree, env=owner, check=True)
            seed = subprocess.run([sys.executable, "-c", SEED], cwd=tree, env=env, check=True, stdout=subprocess.PIPE)
            token = seed.stdout.decode().split()[-1]
            with child([*command, "--port", str(port)], port, cwd=tree, env=env) as pid:
                yield Server(port, token, pid)


def former_tree(folder: Path) -> Path:
    """The sources as they were at BEFORE."""
    packed = subprocess.run(["git", "archive", BEFORE], cwd=ROOT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def ask(server: Server, how: str, connections: int) -> tuple[float, float, list[float]]:
    """Answers a second, microseconds of the server's processor for each, and latencies in seconds."""
    process = psutil.Process(server.pid)
    before = sum(process.cpu_times()[:2])
    command = ["-m", "bench.gateway_load", "clients", str(server.port), server.token, str(connections), str(SECONDS)]
    done = subprocess.run([sys.executable, *command, how], cwd=ROOT, check=True, stdout=subprocess.PIPE)
    busy = sum(process.cpu_times()[:2]) - before
    latencies = json.loads(done.stdout)
    return len(latencies) / SECONDS, busy / len(latencies) * 1e6, latencies


def measure(figures: dict[str, float], servers: dict[str, Server]) -> None:
    """Every kind of work, the servers in turns."""
    for how, connections in WORK:
        print(f"{how}, {connections} at a time", flush=True)
        rates: dict[str, list[float]] = {name: [] for name in servers}
        costs: dict[str, list[float]] = {name: [] for name in servers}
        latencies: dict[str, list[float]] = {name: [] for name in servers}
        for _ in range(ROUNDS):
            for name, server in servers.items():
                rate, cost, taken = ask(server, how, connections)
                rates[name].append(rate)
                costs[name].append(cost)
                latencies[name].extend(taken)
        work = f"{how}_{connections}"
        for name in servers:
            ranked = statistics.quantiles(latencies[name], n=100)
            figures[f"{work}_{name}_per_second"] = statistics.median(rates[name])
            figures[f"{work}_{name}_cpu_us"] = statistics.median(costs[name])
            figures[f"{work}_{name}_p50_ms"] = ranked[49] * 1000
            figures[f"{work}_{name}_p99_ms"] = ranked[98] * 1000
        pairs = zip(rates["now"], rates["before"], strict=True)
        figures[f"{work}_ratio"] = statistics.median(now / before for now, before in pairs)
        costly = zip(costs["before"], costs["now"], strict=True)
        figures[f"{work}_cpu_ratio"] = statistics.median(before / now for before, now in costly)


def main() -> int:
    """Measure and report."""
    figures: dict[str, float] = {}
    with ExitStack() as stack:
        former = former_tree(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        port = free_port()
        load = ["-m", "bench.gateway_load", "engine", str(port)]
        engine = stack.enter_context(child(load, port, cwd=ROOT, env=dict(os.environ)))
        uvicorn = ["-m", "uvicorn", "serving.gateway.app:app", "--no-access-log", "--log-level", "error"]
        servers = {
            "before": stack.enter_context(gateway(former, uvicorn, port)),
            "now": stack.enter_context(gateway(ROOT, ["-m", "serving.gateway"], port)),
            "direct": Server(port, "none", engine),
        }
        measure(figures, servers)
    return finish("gateway", figures=figures, goals=GOALS, packages=PACKAGES)


if __name__ == "__main__":
    sys.exit(main())
