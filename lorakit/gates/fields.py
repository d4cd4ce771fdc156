"""Strict reading of a policy's values."""

import math
from collections.abc import Collection, Mapping
from typing import Any


class WrongPolicy(ValueError):
    """The document is no policy; the text says where and why."""


def fields(value: Any, where: str, *, known: Collection[str], needed: Collection[str] = ()) -> Mapping[str, Any]:
    """An object with no unknown field and all that are needed. Raises WrongPolicy, as all here do."""
    if not isinstance(value, dict):
        raise WrongPolicy(f"{where} must have fields such as “kind:”.")
    missing = sorted(set(needed) - value.keys())
    unknown = sorted(str(key)[:40] for key in value.keys() - set(known))
    if missing:
        raise WrongPolicy(f"{where}: “{missing[0]}” is missing.")
    if unknown:
        raise WrongPolicy(f"{where}: “{unknown[0]}” is not a known field. Known: {', '.join(sorted(known))}.")
    return value


def number(value: Any, where: str, *, low: float, high: float) -> float:
    if type(value) not in (int, float) or not math.isfinite(value) or not low <= value <= high:
        raise WrongPolicy(f"{where} is a number from {low:g} to {high:g}.")
    return float(value)


def whole(value: Any, where: str, *, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise WrongPolicy(f"{where} is a whole number from {low} to {high}.")
    return value


def choice(value: Any, where: str, choices: Collection[str]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise WrongPolicy(f"{where} is one of: {', '.join(choices)}.")
    return value


def flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise WrongPolicy(f"{where} is true or false.")
    return value


def name(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= 80:
        raise WrongPolicy(f"{where} is a name of 1 to 80 characters.")
    return value
