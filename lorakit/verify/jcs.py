"""Canonical JSON by RFC 8785: the same bytes for the same value, whichever language writes them."""

import json
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

EXACT_INTEGERS = 2**53
DECIMAL_FROM, DECIMAL_BELOW = 1e-6, 1e21
"""Numbers between them are written without an exponent, as in JavaScript."""


def canonical_json(value: Any) -> bytes:
    """UTF-8 without spaces, members in order of their UTF-16 names, numbers as JavaScript writes them.

    Raises ValueError for what JSON does not have, such as infinity, lone surrogates and names that are not text.
    """
    return _text(value).encode()


def _text(value: Any) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_text, value))}]"
    if isinstance(value, dict) and all(isinstance(name, str) for name in value):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(f"{encode_basestring(name)}:{_text(value[name])}" for name in names) + "}"
    raise ValueError(f"JSON has no {type(value).__name__} like this")


def _number(value: float) -> str:
    if isinstance(value, int) and abs(value) <= EXACT_INTEGERS:
        return str(value)
    try:
        number = float(value)
    except OverflowError:
        raise ValueError("a number is too large") from None
    size = abs(number)
    if size == 0:
        return "0"
    if DECIMAL_FROM <= size < DECIMAL_BELOW:
        written = format(Decimal(repr(number)), "f")
        return written.removesuffix(".0")
    if size != size or size == float("inf"):
        raise ValueError("JSON has no such number")
    digits, _, exponent = repr(number).partition("e")
    return f"{digits.removesuffix('.0')}e{int(exponent):+d}"
