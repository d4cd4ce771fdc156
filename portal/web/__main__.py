"""`python -m portal.web`: the web server, until it is told to end."""

import argparse
import os
import resource
from tempfile import TemporaryDirectory

import uvicorn

# Each process is replaced after so many requests, so that none grows for ever.
REQUESTS_OF_A_PROCESS = 50_000
SHARED_MEMORY = "/dev/shm"  # noqa: S108


def main() -> None:
    """Serve the site at --host and --port from --workers processes."""
    parser = argparse.ArgumentParser(prog="python -m portal.web", description=main.__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    _allow_many_connections()
    # Where the processes keep what portal.telemetry tells of all of them. They write by mapping files, and on a full
    # disk that would kill them.
    with TemporaryDirectory(prefix="adapter-portal-metrics-", dir=_memory()) as folder:
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", folder)
        _serve(options)


def _memory() -> str | None:
    """A folder in memory; None, and so one for temporary files, where there is none."""
    return SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None


def _serve(options: argparse.Namespace) -> None:
    uvicorn.run(
        "portal.asgi:application",
        host=options.host,
        port=options.port,
        workers=options.workers,
        http="portal.web.protocol:WebProtocol",
        ws="none",
        lifespan="off",
        # Only Django says whose word is taken for a client's address and scheme (BEHIND_PROXY).
        proxy_headers=False,
        server_header=False,
        access_log=False,
        timeout_graceful_shutdown=10,
        timeout_worker_healthcheck=60,
        limit_max_requests=REQUESTS_OF_A_PROCESS if options.workers > 1 else None,
        limit_max_requests_jitter=REQUESTS_OF_A_PROCESS // 10,
    )


def _allow_many_connections() -> None:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    main()
