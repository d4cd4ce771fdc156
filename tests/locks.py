"""For tests of two that change one row."""

import time

from django.db import connection


def wait_until_somebody_waits_for_a_lock() -> None:
    deadline = time.monotonic() + 30
    while True:
        with connection.cursor() as cursor:
            # What the transaction has seen of this view would otherwise not change.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.02)
