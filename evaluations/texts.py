"""Texts of models and their servers, as they can be stored and shown."""

import re

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""PostgreSQL takes no NUL, and neither it nor a response lone surrogates, which JSON may escape."""


def storable(text: str) -> str:
    """`text` with the replacement character for what cannot be stored."""
    return UNSTORABLE.sub("\ufffd", text)
