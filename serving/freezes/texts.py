"""What pages, jobs and errors say about a freeze."""

import datetime as dt

from django.utils import timezone
from django.utils.formats import date_format

from serving.models import FreezeWindow


def moment_text(moment: dt.datetime) -> str:
    """As in "27 Nov 2026, 17:00 UTC"."""
    return date_format(timezone.localtime(moment), "j M Y, H:i T")


def frozen_text(freeze: FreezeWindow) -> str:
    """Until when promotions are frozen, from when if not yet, and why."""
    start = "" if freeze.starts_at <= timezone.now() else f"from {moment_text(freeze.starts_at)} "
    return f"Promotions are frozen {start}until {moment_text(freeze.ends_at)} ({freeze.reason})."
