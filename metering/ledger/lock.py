"""Whoever writes roll-ups holds a lock of the database, for a row is read before it is written."""

from django.db import connection

# Any constant will do, as long as nothing else in the database uses it.
COLLECTOR_LOCK = 7_203_115


def take_turn() -> bool:
    """Hold the lock until the transaction ends. False if another holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [COLLECTOR_LOCK])
        return bool(cursor.fetchone()[0])


def wait_for_turn() -> None:
    """Hold the lock until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [COLLECTOR_LOCK])
