"""The end of the demo on AWS: what CloudWatch counted of each adapter, beside the gateway's own figures."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from portal.demo.cast import TENANTS
from portal.demo.client import DemoError, PortalClient
from portal.supervisor.processes import ROOT

SECONDS = 180.0
"""CloudWatch tells of a minute when the next has passed, and is a minute late."""
BETWEEN = 5.0


def beside_cloudwatch(url: str, keys: Mapping[str, str], read: Callable[[], None]) -> str:
    """A line for each tenant, when CloudWatch has caught up. Raises DemoError if it tells of nothing in time."""
    deadline = time.monotonic() + SECONDS
    lines = []
    for demo in TENANTS:
        with PortalClient(url, keys[demo.slug]) as client:
            found = _observed(client, read, deadline)
        lines.append(f"  {demo.adapter}: {found['observed_requests']} requests, the gateway {found['requests']}")
    return "\n".join(["What CloudWatch counted beside the gateway, promotions’ own questions included:", *lines])


def read_now(folder: Path) -> None:
    """Read CloudWatch at once, which the worker does every five minutes."""
    command = [sys.executable, "manage.py", "usage", "read"]
    env = os.environ | {"PORTAL_VAR": str(folder)}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DemoError(f"manage.py usage read failed:\n{done.stderr[-2000:]}")


def _observed(client: PortalClient, read: Callable[[], None], deadline: float) -> dict[str, Any]:
    """Once it counted what the gateway did, or all that it will tell in time."""
    while True:
        read()
        found: dict[str, Any] = client.get("usage/observed/")
        counted = found["observed_requests"] or 0
        if counted >= found["requests"] > 0:
            return found
        if time.monotonic() > deadline:
            if counted:
                return found
            raise DemoError(f"CloudWatch told of no request within {SECONDS:g} s.")
        time.sleep(BETWEEN)
