"""One row of everything, for tests that look at all addresses, and a PostgreSQL with a superuser."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db.models import Model

from portal.embedded.binaries import find_postgres
from portal.embedded.process import (
    UNPRIVILEGED_ID,
    free_port,
    give_to_unprivileged,
    is_root,
    minimal_environment,
    spawn,
    stop,
)
from tenants.models import Tenant, User
from tests.portal.world import make_world


@pytest.fixture
def world(tenant: Tenant, alice: User) -> dict[type[Model], Model]:
    return make_world(tenant, alice)


@pytest.fixture
def empty_server() -> Iterator[int]:
    """The port of a new PostgreSQL with nothing in it but its superuser, as in the image."""
    folder = Path(tempfile.mkdtemp(prefix="adapter-portal-compose-"))
    folder.chmod(0o755)
    give_to_unprivileged(folder)
    server, port = find_postgres(), free_port()
    user = UNPRIVILEGED_ID if is_root() else None
    subprocess.run(
        [server.path("initdb"), "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "--no-sync"],
        check=True, capture_output=True, env=minimal_environment(), cwd=folder, user=user, group=user,
    )  # fmt: skip
    # Passwords must be asked for, or the test could not see that they were set.
    access = "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
    (folder / "data" / "pg_hba.conf").write_text(access)
    process = spawn(
        [server.path("postgres"), "-D", str(folder / "data"), "-p", str(port), "-k", "", "-c", "fsync=off"],
        log=subprocess.DEVNULL, death_signal=signal.SIGINT, env=minimal_environment(), cwd=folder,
        drop_privileges=True,
    )  # fmt: skip
    ready = [server.path("pg_isready"), "--host=127.0.0.1", f"--port={port}", "--quiet"]
    while subprocess.run(ready, env=minimal_environment()).returncode != 0:
        assert process.poll() is None
    yield port
    stop(process, [(signal.SIGINT, 20)])
    shutil.rmtree(folder)
