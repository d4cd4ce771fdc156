"""A statement must not be closed while something is added to it."""

from django.db import connection

CLOSING_LOCK = 0x57A7_E5
"""Of every transaction that closes or adds."""


def hold() -> None:
    """Let others that close or add wait until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CLOSING_LOCK])
