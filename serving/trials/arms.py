"""Which version answers a caller of a trial: always the same one, by a hash that tells nobody who it is."""

import hashlib
import re

MARK_LENGTH = 32
_MARK = re.compile(rf"[0-9a-f]{{{MARK_LENGTH}}}")
_DIGITS = 13


def caller_mark(salt: str, *, key_id: str, user: str = "") -> str:
    """The name of a caller within one trial, 32 hexadecimal digits: an API key, with the person it asks for if told."""
    return hashlib.sha256(f"{salt}:{key_id}:{user}".encode("utf-8", "surrogatepass")).hexdigest()[:MARK_LENGTH]


def is_mark(text: str) -> bool:
    """Whether `caller_mark` may have made it."""
    return _MARK.fullmatch(text) is not None


def in_canary(mark: str, share: float) -> bool:
    """Whether the candidate answers this caller. Raises ValueError for what is no mark."""
    return int(mark[:_DIGITS], 16) / 16.0**_DIGITS < share
