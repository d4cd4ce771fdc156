"""The Celery app. A message only says which row to process now; all state is in the database."""

import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import heartbeat_sent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@heartbeat_sent.connect
def leave_heartbeat(**_: Any) -> None:
    """Show the supervisor that the worker's main loop is running; a hung worker sends no heartbeats."""
    if path := os.environ.get("HEARTBEAT_FILE"):
        Path(path).touch()
