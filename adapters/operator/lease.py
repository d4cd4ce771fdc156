"""Holding long work: its lease is renewed while it is done, and whoever loses it has to stop at once."""

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from django.db import DatabaseError, InterfaceError, connection
from django.db.models.functions import Now

from adapters.base_models.sources.fetch import unfinished
from adapters.models import BaseModelWork, WorkState
from adapters.operator.places import own_folder

LEASE = dt.timedelta(seconds=30)
RENEWED_EVERY_SECONDS = 3.0

log = structlog.get_logger(__name__)


@contextmanager
def held(work: BaseModelWork, *, lost: Callable[[], object]) -> Iterator[None]:
    """Keep renewing the lease while the block runs, and write down how much has been fetched.

    `lost` is called, in another thread, when somebody stopped the work or took it over, or when the database did not
    answer for as long as the lease.
    """
    ended = threading.Event()

    def renew() -> None:
        until = time.monotonic() + LEASE.total_seconds()
        try:
            while True:
                renewed = _renew(work)
                if renewed:
                    until = time.monotonic() + LEASE.total_seconds()
                elif renewed is False or time.monotonic() > until:
                    lost()
                    return
                if ended.wait(RENEWED_EVERY_SECONDS):
                    return
        except Exception:
            # Without this thread the lease would end unnoticed, and another process begin the same.
            log.exception("base_model_lease_failed", base_model=work.name)
            lost()
        finally:
            connection.close()

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _renew(work: BaseModelWork) -> bool | None:
    """Whether it is still ours; None where the database cannot be asked."""
    rows = BaseModelWork.objects.filter(id=work.id, fence=work.fence, state=WorkState.RUNNING)
    try:
        return bool(rows.update(lease_expires_at=Now() + LEASE, bytes_done=_fetched(work)))
    except (DatabaseError, InterfaceError):
        connection.close()
        return None


def _fetched(work: BaseModelWork) -> int:
    """Bytes; 0 while they can't be counted, as when a folder goes away meanwhile."""
    try:
        return sum(_size(path) for path in unfinished(work.name, own_folder()).rglob("*"))
    except OSError:
        return 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        # It was just renamed.
        return 0
