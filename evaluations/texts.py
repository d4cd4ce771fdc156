"""Texts of models and their servers, as they can be stored and shown."""

import re
from math import floor

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""PostgreSQL takes no NUL, and neither it nor a response lone surrogates, which JSON may escape."""


def storable(text: str) -> str:
    """`text` with the replacement character for what cannot be stored."""
    return UNSTORABLE.sub("\ufffd", text)


def similarity_text(similarity: float) -> str:
    """0 to 1 with two places, rounded down, so that only what is the same is 1.00."""
    return f"{floor(round(100 * similarity, 4)) / 100:.2f}"
