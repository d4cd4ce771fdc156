"""Which version answers a caller of a trial: always the same one, by a hash that tells nobody who it is."""

import hashlib

MARK_LENGTH = 32
_DIGITS = 13


def caller_mark(salt: str, *, key_id: str, user: str = "") -> str:
    """The name of a caller within one trial, 32 hexadecimal digits: an API key, with the person it asks for if told."""
    return hashlib.sha256(f"{salt}:{key_id}:{user}".encode("utf-8", "surrogatepass")).hexdigest()[:MARK_LENGTH]


def in_canary(mark: str, share: float) -> bool:
    """Whether the candidate answers this caller. Raises ValueError for what is no mark."""
    return int(mark[:_DIGITS], 16) / 16.0**_DIGITS < share
