"""docker-compose.yml runs the same parts as the supervisor, and its database has the same two roles."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from portal.embedded.binaries import find_postgres
from portal.embedded.process import minimal_environment
from portal.supervisor.processes import ROOT, Ports, site_processes
from rest.tracing.start import ENDPOINTS

pytestmark = pytest.mark.slow

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]


def words(command: str | list[str]) -> list[str]:
    return command.split() if isinstance(command, str) else command


def test_every_process_of_the_supervisor_is_a_service_with_the_same_program(tmp_path: Path) -> None:
    for process in site_processes(
        Ports(), base_id="tiny-llama", base_model=tmp_path, max_rank=64, var=tmp_path, env={}, has_engine=True
    ):
        _python, _dash_m, program, *arguments = process.argv
        command = [
            word for word in words(SERVICES[process.name.removesuffix("-2")]["command"]) if word not in {"python", "-m"}
        ]
        assert command[0] == program
        positional = {argument for argument in arguments[:3] if re.fullmatch(r"[a-z.]+(:[a-z]+)?", argument)}
        assert positional <= set(command), process.name


def test_no_password_has_a_default() -> None:
    secret = [
        (name, value)
        for service in SERVICES.values()
        for name, value in service.get("environment", {}).items()
        if re.search(r"PASSWORD|SECRET|KEY|_URL$", name) and re.search(r"PASSWORD|SECRET|KEY", value)
    ]
    assert secret
    assert not [name for name, value in secret if not re.search(r"\$\{\w+:\?set it in \.env\}", value)]


def test_every_variable_is_one_the_settings_read() -> None:
    settings = (ROOT / "portal" / "settings.py").read_text()
    # What OpenTelemetry's SDK reads by itself.
    names = set(SERVICES["web"]["environment"]) - {*ENDPOINTS}
    assert not [name for name in names if f'"{name}"' not in settings]


def test_only_this_machine_reaches_the_published_ports() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_the_init_script_makes_an_owner_and_a_role_that_may_only_use(empty_server: int) -> None:
    environment = minimal_environment() | {
        "PATH": f"{find_postgres().folder}:{os.environ['PATH']}",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(empty_server),
        "PORTAL_OWNER_PASSWORD": "owner's",
        "PORTAL_APP_PASSWORD": "app's",
    }
    subprocess.run([ROOT / "deploy" / "postgres" / "init.sh"], check=True, env=environment)
    address = f"host=127.0.0.1 port={empty_server} dbname=portal"
    with psycopg.connect(address, user="portal_owner", password="owner's") as owner:
        owner.execute("CREATE TABLE note (id serial, value int)")
    with psycopg.connect(address, user="portal_app", password="app's") as app:
        app.execute("INSERT INTO note (value) VALUES (1)")
        assert app.execute(
            "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = user"
        ).fetchone() == (False, False, False, False)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("CREATE TABLE mine (id int)")
