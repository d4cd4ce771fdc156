"""A hosted site with an unsafe setting does not start, and the setting is named."""

import os
import subprocess
import sys

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
STARTS = [["-c", "import portal.asgi"], [*CELERY, "worker"], [*CELERY, "beat"], ["manage.py", "up"]]


@pytest.mark.slow
@pytest.mark.parametrize("start", STARTS, ids=["web", "worker", "beat", "up"])
def test_no_process_starts(start: list[str]) -> None:
    started = subprocess.run(
        [sys.executable, *start], cwd=ROOT, env=os.environ | {"DEBUG": "true", "ALLOWED_HOSTS": "*"},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert started.returncode != 0
    assert "DEBUG is true" in started.stderr
    assert "ALLOWED_HOSTS has a *" in started.stderr
