"""Latency sketches: DDSketch with a relative error of 1%, mergeable, kept in the database as JSON.

The library's own serialisation needs protobuf; its bins are a few hundred pairs of numbers at most.
"""

import json
from collections.abc import Iterable

from ddsketch import DDSketch

RELATIVE_ERROR = 0.01


def new_sketch(values: list[float] | None = None) -> DDSketch:
    """A sketch of `values` in milliseconds."""
    sketch = DDSketch(RELATIVE_ERROR)
    for value in values or []:
        sketch.add(value)
    return sketch


def dump_sketch(sketch: DDSketch) -> bytes:
    """Its bins as [[value, count], ...]; a bin's value is any value inside it."""
    store, mapping = sketch._store, sketch._mapping
    bins = [[mapping.value(store.offset + i), count] for i, count in enumerate(store.bins) if count]
    if sketch._zero_count:
        bins.insert(0, [0.0, sketch._zero_count])
    return json.dumps(bins, separators=(",", ":")).encode()


def load_sketch(data: bytes | memoryview) -> DDSketch:
    """The sketch that `dump_sketch` wrote."""
    sketch = new_sketch()
    for value, count in json.loads(bytes(data)):
        sketch.add(value, count)
    return sketch


def merged(parts: Iterable[bytes | memoryview]) -> DDSketch:
    """One sketch of all values in the parts."""
    whole = new_sketch()
    for part in parts:
        whole.merge(load_sketch(part))
    return whole


def quantile(sketch: DDSketch, share: float) -> float | None:
    """The latency that `share` (0..1) of requests did not exceed; None without requests."""
    value: float | None = sketch.get_quantile_value(share)
    return value
