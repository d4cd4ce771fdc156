"""Errors that are nobody's mistake and pass: a full disk, a database that is away."""

import errno
from collections.abc import Iterator

import django.db
import psycopg
import redis
from django.conf import settings

from lorakit.disk import is_full
from rest.errors import PortalError
from storage.errors import DiskFull

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
# Connection trouble, too few resources, shutting down or starting up. One that never answered has no state at all.
_AWAY = ("08", "53", "57P")


class DatabaseUnavailable(PortalError):
    """The database does not answer, or is starting."""

    code = "platform:database_unavailable"
    status = 503

    def __init__(self) -> None:
        super().__init__("The database is temporarily unavailable. Nothing you saved is lost. Try again in a minute.")


def outage_behind(error: BaseException | None) -> PortalError | None:
    """DiskFull or DatabaseUnavailable if one of them caused the error, else None."""
    for cause in _causes(error):
        if _names_full_disk(cause):
            return DiskFull()
        if _names_absent_database(cause):
            # A database often dies of a full disk before it can say so.
            return DiskFull() if is_full(settings.PORTAL_VAR) else DatabaseUnavailable()
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen = set[int]()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _names_full_disk(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    if isinstance(error, redis.ResponseError):
        # Valkey takes no writes that it cannot put on its disk.
        return str(error).startswith("MISCONF")
    return isinstance(error, psycopg.errors.DiskFull)


def _names_absent_database(error: BaseException) -> bool:
    if isinstance(error, psycopg.OperationalError):
        return error.sqlstate is None or error.sqlstate.startswith(_AWAY)
    return isinstance(error, django.db.InterfaceError)
