"""A hosted site with an unsafe setting does not start, and the setting is named."""

import os
import subprocess
import sys

import psycopg
import pytest
from pytest_django import Settings

from portal.hosted import refuse_unsafe_site, unsafe_settings
from portal.supervisor.processes import ROOT

KEY = "k3y-" + "abcdefghijklmnopqrstuvwxyz" * 2
SAFE = {"DEBUG": False, "SECRET_KEY": KEY, "ALLOWED_HOSTS": ["portal.example"], "HTTPS": True}


@pytest.fixture
def safe(settings: Settings) -> Settings:
    for name, value in SAFE.items():
        setattr(settings, name, value)
    return settings


def test_a_safe_site(safe: Settings) -> None:
    assert unsafe_settings() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", True),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "a" * 80),
        ("ALLOWED_HOSTS", ["portal.example", "*"]),
        ("HTTPS", False),
    ],
)
def test_each_unsafe_setting_is_named(safe: Settings, name: str, value: object) -> None:
    setattr(safe, name, value)
    [fault] = unsafe_settings()
    assert fault.startswith(name)


def test_a_site_that_nobody_reaches_from_elsewhere_needs_no_https(safe: Settings) -> None:
    safe.HTTPS, safe.ALLOWED_HOSTS = False, ["127.0.0.1", "localhost", "[::1]", "web"]
    assert unsafe_settings() == []


@pytest.mark.django_db
def test_the_role_of_the_tests_is_safe(safe: Settings) -> None:
    refuse_unsafe_site()


CELERY = ["-m", "celery", "-A", "portal"]
STARTS = {
    "web": ["-c", "import portal.asgi"],
    "gateway": ["-m", "serving.gateway"],
    "worker": [*CELERY, "worker"],
    "beat": [*CELERY, "beat"],
    "up": ["manage.py", "up"],
}
EVERY_START = pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)


@pytest.mark.slow
@EVERY_START
def test_no_process_starts(start: list[str]) -> None:
    refused = refusal(start, DEBUG="true", ALLOWED_HOSTS="*", SECRET_KEY="short")
    assert "DEBUG is true" in refused
    assert "ALLOWED_HOSTS has a *" in refused
    assert "SECRET_KEY is too easy to guess" in refused


@pytest.mark.slow
@EVERY_START
def test_no_process_starts_as_a_superuser(start: list[str], empty_server: int) -> None:
    refused = refusal(start, DATABASE_URL=f"postgres://postgres@127.0.0.1:{empty_server}/postgres")
    assert "DATABASE_URL names a role that sees every tenant's rows" in refused
    assert "DEBUG" not in refused


@pytest.mark.slow
@pytest.mark.parametrize(("flag", "is_safe"), [("BYPASSRLS", False), ("SUPERUSER", False), ("CREATEDB", True)])
def test_the_check_judges_the_role_too(empty_server: int, flag: str, is_safe: bool) -> None:
    with psycopg.connect(f"postgres://postgres@127.0.0.1:{empty_server}/postgres") as superuser:
        superuser.execute(f"CREATE ROLE app LOGIN {flag} PASSWORD 'secret'")
    check = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--tag", "hosted", "--database", "default"], cwd=ROOT,
        env=os.environ | {"DATABASE_URL": f"postgres://app:secret@127.0.0.1:{empty_server}/postgres"},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ("DATABASE_URL names a role" in check.stderr) != is_safe
    assert (check.returncode == 0) == is_safe


def refusal(start: list[str], **environment: str) -> str:
    """What a process says that does not start."""
    started = subprocess.run(
        [sys.executable, *start], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=120
    )
    assert started.returncode != 0
    return started.stderr
