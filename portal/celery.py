"""The Celery app. A message only says which row to process now; all state is in the database."""

import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import beat_init, celeryd_init, heartbeat_sent, worker_process_init, worker_process_shutdown
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal", task_cls="jobs.messages.validity:ValidTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_init.connect
@beat_init.connect
def refuse_unsafe_settings(**_: Any) -> None:
    """A worker and a beat of a hosted site start with safe settings only. Celery goes on after an error in a signal."""
    from portal.hosted import refuse_unsafe_site

    try:
        refuse_unsafe_site()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from error


@heartbeat_sent.connect
def leave_heartbeat(**_: Any) -> None:
    """Show the supervisor that the worker's main loop is running; a hung worker sends no heartbeats."""
    if path := os.environ.get("HEARTBEAT_FILE"):
        Path(path).touch()


@worker_process_init.connect
def trace_tasks(**_: Any) -> None:
    """Trace the processes of the pool, where the site is traced: the thread that sends spans survives no fork."""
    from portal.telemetry.traces import trace_process

    trace_process("adapter-portal-worker")


@worker_process_shutdown.connect
def send_last_spans(**_: Any) -> None:
    """Send those that a process of the pool has not sent when it ends."""
    from rest.tracing.start import stop_tracing

    stop_tracing()
