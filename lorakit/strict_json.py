"""JSON from strangers: only what every other parser reads the same way, and no more of it than can be read quickly."""

from typing import Any

import msgspec

MAX_DEPTH = 64
MAX_CONTAINERS = 100_000
"""Objects and lists in one text. Half a million of them take a parser a second."""


def read_json(data: bytes) -> Any:
    """Decode UTF-8 JSON; raises ValueError.

    Refused are NaN, Infinity, numbers beyond a float, lone surrogates, and nesting beyond MAX_DEPTH, which some
    parsers take and others fail on.
    """
    openings = data.count(b"{") + data.count(b"[")
    if openings > MAX_CONTAINERS:
        raise ValueError("too many objects and lists")
    try:
        document = msgspec.json.decode(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if openings > MAX_DEPTH and is_deeper(document, MAX_DEPTH):
        raise ValueError("nested too deeply")
    return document


def is_deeper(document: Any, depth: int) -> bool:
    """Whether objects and lists are nested in more than `depth` levels."""
    level = [document] if isinstance(document, dict | list) else []
    for _ in range(depth):
        if not level:
            break
        level = [
            child
            for container in level
            for child in (container.values() if isinstance(container, dict) else container)
            if isinstance(child, dict | list)
        ]
    return bool(level)
