"""A full disk and an absent database are told as such, whatever part of the site met them."""

import errno
import os
from collections.abc import Iterator

import psycopg
import pytest
import redis
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import DatabaseError, OperationalError, connection
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from portal.outages import DatabaseUnavailable, outage_behind
from storage.errors import DiskFull


def caused(error: Exception, cause: Exception) -> Exception:
    try:
        raise error from cause
    except type(error) as raised:
        return raised


FULL = [
    OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
    caused(OperationalError(), psycopg.errors.DiskFull()),
    caused(SessionInterrupted(), caused(DatabaseError(), psycopg.errors.DiskFull())),
    redis.ResponseError("MISCONF Errors writing to the AOF file: No space left on device"),
]
AWAY = [
    caused(OperationalError(), psycopg.OperationalError("connection refused")),
    caused(OperationalError(), psycopg.errors.CannotConnectNow()),
    caused(OperationalError(), psycopg.errors.AdminShutdown()),
]
OURS = [ZeroDivisionError(), OSError(errno.ENOENT, "x"), caused(DatabaseError(), psycopg.errors.UniqueViolation())]


@pytest.mark.parametrize("error", FULL, ids=repr)
def test_a_full_disk(error: Exception) -> None:
    assert isinstance(outage_behind(error), DiskFull)


@pytest.mark.parametrize("error", AWAY, ids=repr)
def test_an_absent_database(error: Exception) -> None:
    assert isinstance(outage_behind(error), DatabaseUnavailable)


@pytest.mark.parametrize("error", OURS, ids=repr)
def test_what_is_ours_to_mend(error: Exception) -> None:
    assert outage_behind(error) is None


@pytest.fixture
def absent_database(django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Connections to a port at which nobody listens."""
    with django_db_blocker.unblock(), monkeypatch.context() as absent:
        connection.close()
        absent.setitem(connection.settings_dict, "PORT", 1)
        yield
        connection.close()


@pytest.mark.parametrize("address", ["/sign-in/", "/api/v1/uploads/"])
@pytest.mark.usefixtures("absent_database")
def test_a_page_and_an_answer_say_so(address: str) -> None:
    client = Client(raise_request_exception=False, headers={"Authorization": "Bearer apk_x"})
    client.cookies["sessionid"] = "x" * 32
    answer = client.post(address, {"username": "a@b.example", "password": "x"})
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert DatabaseUnavailable().text in answer.content.decode().replace("&#x27;", "'")


@pytest.mark.usefixtures("absent_database")
def test_health_says_so() -> None:
    answer = Client().get(reverse("health"))
    assert (answer.status_code, answer.json()["code"]) == (503, "platform:database_unavailable")
