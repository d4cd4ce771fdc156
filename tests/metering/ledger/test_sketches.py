"""Merged and stored sketches tell latencies within one per cent."""

import random

import pytest

from metering.ledger.sketches import dump_sketch, load_sketch, merged, new_sketch, quantile


def test_merged_sketches_are_as_good_as_one() -> None:
    values = [random.Random(5).lognormvariate(4, 1) for _ in range(2000)]
    parts = [dump_sketch(new_sketch(values[i::7])) for i in range(7)]
    whole = merged(parts)
    for share in (0.5, 0.95, 0.99):
        exact = sorted(values)[int(share * (len(values) - 1))]
        assert quantile(whole, share) == pytest.approx(exact, rel=0.011)


def test_a_sketch_survives_storage_again_and_again() -> None:
    sketch = new_sketch([0.0, 0.4, 12.0, 12.0, 90_000.0])
    stored = dump_sketch(sketch)
    for _ in range(20):
        stored = dump_sketch(load_sketch(stored))
    assert stored == dump_sketch(sketch)
    assert quantile(load_sketch(stored), 0.0) == 0
    assert quantile(load_sketch(stored), 1.0) == pytest.approx(90_000, rel=0.01)
