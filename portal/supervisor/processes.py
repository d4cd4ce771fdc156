"""The site's processes as data: what runs, on which port, how it shows it is well, how it is stopped."""

import secrets
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True)
class Process:
    """One supervised child. `health_url` answers 200 when ready; without one, running counts as ready.

    With `heartbeat`, a file that the child touches again and again (its environment names it as HEARTBEAT_FILE), one
    that stopped doing so `heartbeat_seconds` ago counts as hung.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = ROOT
    health_url: str | None = None
    heartbeat: Path | None = None
    heartbeat_seconds: float = 60.0
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 15.0


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Where the servers listen (IPv4); only `web` and `gateway` may listen beyond this machine."""

    host: str = "127.0.0.1"
    web: int = 8000
    gateway: int = 8001
    engine: int = 8002
    engines: int = 8003

    @property
    def web_url(self) -> str:
        return f"http://{self.visible_host}:{self.web}"

    @property
    def gateway_url(self) -> str:
        return f"http://{self.visible_host}:{self.gateway}"

    @property
    def engine_url(self) -> str:
        return f"http://127.0.0.1:{self.engine}"

    @property
    def engines_url(self) -> str:
        return f"http://127.0.0.1:{self.engines}"

    @property
    def visible_host(self) -> str:
        return "127.0.0.1" if self.host == "0.0.0.0" else self.host  # noqa: S104 - compared, not bound


def site_environment(ports: Ports, *, encoder: str = "") -> dict[str, str]:
    """What every process of the site must agree on; `encoder` is the name of one that runs beside the engines."""
    key = secrets.token_urlsafe(32)
    with_encoder = {
        "ENCODER_MODEL": encoder,
        "ENCODER_URL": f"{ports.engines_url}/encoder/v1",
        "ENCODER_API_KEY": key,
        "ENCODER_TOKEN_VECTORS": "true",
    }
    return (with_encoder if encoder else {}) | {
        "ENGINE_URL": ports.engine_url,
        "ENGINES_URL": ports.engines_url,
        "GATEWAY_URL": ports.gateway_url,
        "ENGINE_API_KEY": key,
        "PYTHONUNBUFFERED": "1",
    }


def site_processes(
    ports: Ports,
    *,
    base_model: Path,
    base_id: str,
    max_rank: int,
    slots: int = 16,
    var: Path,
    env: Mapping[str, str],
    has_engine: bool,
) -> list[Process]:
    """The processes in the order they start; they stop in reverse. Where models are elsewhere there is no engine."""
    python = (sys.executable, "-m")
    celery = (*python, "celery", "-A", "portal")
    engine = Process(
        name="engine",
        argv=(
            *python, "lorakit.serve", "--base", str(base_model), "--base-id", base_id, "--host", "127.0.0.1",
            "--port", str(ports.engine), "--slots", str(slots), "--max-rank", str(max_rank), "--threads", "1",
            "--memory", str(var / "run" / "engine-adapters.json"),
        ),
        env=env,
        health_url=f"{ports.engine_url}/health",
    )  # fmt: skip
    engines = Process(
        name="engines",
        argv=(*python, "portal.engines", "--port", str(ports.engines)),
        env=env,
        health_url=f"{ports.engines_url}/health",
        stop_seconds=30.0,
    )
    # Two at one port: one that is killed takes only its own requests along, and the other has the next ones.
    gateways = [
        Process(
            name=name,
            argv=(*python, "serving.gateway", "--host", ports.host, "--port", str(ports.gateway), "--share-port"),
            env=env,
            health_url=f"{ports.gateway_url}/health",
        )
        for name in ("gateway", "gateway-2")
    ]
    return [
        *([engine, engines] if has_engine else []),
        Process(
            name="web",
            argv=(*python, "portal.web", "--host", ports.host, "--port", str(ports.web)),
            env=env,
            health_url=f"{ports.web_url}/health/",
        ),
        *gateways,
        Process(
            name="worker",
            argv=(
                *celery, "worker", "--concurrency", "2", "--without-mingle", "--without-gossip",
                "--loglevel", "INFO",
            ),
            env=env,
            heartbeat=var / "run" / "worker-heartbeat",
        ),
        Process(
            name="beat",
            argv=(*celery, "beat", "--pidfile=", "--loglevel", "INFO"),
            env=env,
        ),
    ]  # fmt: skip
