"""Reads metrics in Prometheus's text format, as an engine writes them at /metrics.

Lines that are no samples are passed over: a metric that changes its form costs its figure, not the page.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LONGEST = 4 * 1024 * 1024
"""Characters that are read; an engine writes a few hundred thousand."""

_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?[ \t]+(\S+)(?:[ \t]+-?\d+)?")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*,?\s*')
_ESCAPED = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}


@dataclass(frozen=True)
class Sample:
    """A metric's value under its labels."""

    name: str
    labels: Mapping[str, str]
    value: float


def samples(text: str) -> Iterator[Sample]:
    """Every sample with a finite value, in order."""
    for line in text[:LONGEST].splitlines():
        found = None if line.startswith("#") else _SAMPLE.fullmatch(line.strip())
        if found is None:
            continue
        labels, value = _labels(found[2] or ""), _value(found[3])
        if labels is not None and value is not None:
            yield Sample(found[1], labels, value)


def _labels(text: str) -> dict[str, str] | None:
    labels, at = {}, 0
    while at < len(text):
        found = _LABEL.match(text, at)
        if found is None:
            return None
        labels[found[1]] = re.sub(r"\\.", lambda escape: _ESCAPED.get(escape[0], escape[0]), found[2])
        at = found.end()
    return labels


def _value(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
