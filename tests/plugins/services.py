"""Loaded by `-p`, before Django's settings: a throw-away PostgreSQL and Valkey for the whole run.

Every pytest-xdist worker gets a database of its own in the one cluster, copied from a migrated template when
its first test needs a database, and a Valkey database of its own. Tests connect as the site's role, so
row-level security holds.
"""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from portal.embedded import runtime
from portal.embedded.postgres import APP, DATABASE
from portal.embedded.process import EmbeddedServiceError
from portal.embedded.state import exclusive

ROOT = Path(__file__).resolve().parents[2]
_FOLDER = "TEST_SERVICES_FOLDER"

_services: runtime.Services | None = None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Generator[None, None, None]:
    """A wrapper, so that it runs before pytest-django reads the settings."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not worker:
        _start()
    _point_settings_at(worker or "main")
    return (yield)


def pytest_unconfigure() -> None:
    if _services is not None:
        _services.stop()
        shutil.rmtree(os.environ[_FOLDER], ignore_errors=True)


def prepare_database() -> None:
    """Create this worker's database from the template; the first caller of a run migrates the template."""
    folder = Path(os.environ[_FOLDER])
    template_url = _with_database(os.environ["DATABASE_OWNER_URL"], DATABASE)
    with exclusive(folder / "template.lock"):
        if not (folder / "template-migrated").exists():
            _migrate(template_url)
            (folder / "template-migrated").touch()
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(_database_name(os.environ["DATABASE_URL"])), sql.Identifier(DATABASE)
        )
        with psycopg.connect(_with_database(template_url, "postgres"), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def copied_database(name: str) -> Iterator[str]:
    """A copy of the migrated template for a test that migrates it itself; gives its owner's address."""
    prepared = _with_database(os.environ["DATABASE_OWNER_URL"], "postgres")
    identifier, template = sql.Identifier(name), sql.Identifier(DATABASE)
    with psycopg.connect(prepared, autocommit=True) as connection:
        with exclusive(Path(os.environ[_FOLDER]) / "template.lock"):
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(identifier, template))
        try:
            yield _with_database(prepared, name)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))


def migrate(owner_url: str, *target: str) -> None:
    """Migrate a database, by default to the newest; `target` are an app and the name of its migration."""
    migration = subprocess.run(
        [sys.executable, "manage.py", "migrate", *target, "--verbosity=0"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": owner_url},
        capture_output=True,
        text=True,
    )
    if migration.returncode != 0:
        raise RuntimeError(f"manage.py migrate failed:\n{migration.stdout}{migration.stderr}")


def _start() -> None:
    global _services
    for name in runtime.URL_NAMES:
        # A developer's own database must never be taken for a test's.
        os.environ.pop(name, None)
    folder = Path(tempfile.mkdtemp(prefix="adapter-portal-tests-"))
    folder.chmod(0o755)
    try:
        _services = runtime.start(folder, durable=False)
    except EmbeddedServiceError as error:
        raise pytest.UsageError(str(error)) from error
    os.environ |= {
        **_services.urls,
        _FOLDER: str(folder),
        "SECRET_KEY": secrets.token_urlsafe(48),
        "DEBUG": "false",
        "ALLOWED_HOSTS": "127.0.0.1,localhost,testserver",
    }


def _point_settings_at(worker: str) -> None:
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        os.environ[name] = _with_database(os.environ[name], f"test_{worker}")
    number = int(worker.removeprefix("gw")) + 1 if worker.startswith("gw") else 0
    os.environ["REDIS_URL"] = os.environ["REDIS_URL"].rsplit("/", 1)[0] + f"/{number}"
    var = Path(os.environ[_FOLDER]) / worker
    var.mkdir(exist_ok=True)
    os.environ["PORTAL_VAR"] = str(var)
    # Not those of a site that ran here, which may be older than what is tested.
    os.environ["STATIC_ROOT"] = str(var / "static")


def _migrate(owner_url: str) -> None:
    migrate(owner_url)
    with psycopg.connect(owner_url) as connection:
        # Only here: Django empties the tables after a transactional test, which the site itself never may.
        connection.execute(sql.SQL("GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO {}").format(sql.Identifier(APP)))


def _with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _database_name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")
