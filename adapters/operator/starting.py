"""Starts a process for each piece of long work that none is at.

A task of the worker has two minutes, and a download may take hours. So the work is done by `manage.py
base_model_work`, which holds it by a lease and ends itself when it loses it: if the worker dies it goes on, if it dies
another one is started.
"""

import datetime as dt
import os
import subprocess
import sys

import structlog
from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now

from adapters.base_models.sources.fetch import is_elsewhere
from adapters.models import BaseModelWork, WorkState
from adapters.operator.places import log_of, own_folder
from adapters.operator.states import move_work

AT_ONCE = 3
TRIES = 3
START = dt.timedelta(seconds=60)
"""How long a process may take until it renews its lease for the first time."""

log = structlog.get_logger(__name__)


def start_due() -> None:
    """Start what is due, as long as few processes run. Safe to call again, and from two processes."""
    free = AT_ONCE - BaseModelWork.objects.running().count()
    for work in BaseModelWork.objects.due():
        if work.tries >= TRIES:
            kept = "; what was fetched is kept" if is_elsewhere(work.source) else ""
            text = f"It was interrupted too often. Try again{kept}."
            move_work(work, WorkState.FAILED, error_text=text)
        elif free > 0 and _claim(work):
            free -= 1
            _spawn(work)


def _claim(work: BaseModelWork) -> bool:
    return move_work(
        work, WorkState.RUNNING, fence=F("fence") + 1, tries=F("tries") + 1, lease_expires_at=Now() + START
    )


def _spawn(work: BaseModelWork) -> None:
    command = [sys.executable, "manage.py", "base_model_work", str(work.id), str(work.fence)]
    own_folder().mkdir(parents=True, exist_ok=True)
    # It may outlive the worker, whose output nobody reads then. In a session of its own, all of its processes can be
    # ended together.
    with log_of(work.name).open("wb") as log_file:
        subprocess.Popen(
            command,
            cwd=settings.BASE_DIR,
            env=os.environ | {"HF_HUB_DISABLE_PROGRESS_BARS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=log_file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    log.info("base_model_work_started", kind=work.kind, base_model=work.name, tries=work.tries)
