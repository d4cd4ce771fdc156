"""Stored and joined sketches tell latencies within one per cent, by the nearest rank upwards."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metering.ledger.sketches import Bins, merged, quantiles, size_of, sketch_of
from tests.examples import examples

LATENCIES = st.lists(st.floats(0.001, 1e6), min_size=1, max_size=60)
SHARES = (0.0, 0.01, 0.5, 0.95, 0.99, 1.0)


def nearest_rank(values: list[float], share: float) -> float:
    return sorted(values)[max(1, math.ceil(round(share * len(values), 6))) - 1]


def test_one_slow_answer_of_ten_is_the_95th_percentile() -> None:
    assert quantiles([sketch_of([10.0] * 9 + [5000.0])], (0.5, 0.9, 0.95)) == pytest.approx([10, 10, 5000], rel=0.01)


def test_rounding_does_not_raise_a_rank() -> None:
    # 0.07 * 100 is 7.000000000000001.
    values = [float(number) for number in range(1, 101)]
    assert quantiles([sketch_of(values)], (0.07, 0.95)) == pytest.approx([7, 95], rel=0.01)


@settings(max_examples=examples(200), deadline=None)
@given(LATENCIES)
def test_a_quantile_is_the_nearest_rank_within_one_per_cent(values: list[float]) -> None:
    exact = [nearest_rank(values, share) for share in SHARES]
    assert quantiles([sketch_of(values)], SHARES) == pytest.approx(exact, rel=0.0101)


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(LATENCIES, min_size=1, max_size=8))
def test_joined_sketches_are_as_good_as_one_and_lie_between_their_parts(parts: list[list[float]]) -> None:
    sketches = [sketch_of(part) for part in parts]
    whole = sketch_of([value for part in parts for value in part])
    assert merged(sketches) == merged([b"".join(sketches)]) == whole
    together = quantiles(sketches, SHARES)
    assert together == quantiles([whole], SHARES)
    for index, value in enumerate(together):
        of_parts = [quantiles([sketch], SHARES)[index] or 0.0 for sketch in sketches]
        assert value is not None
        assert min(of_parts) <= value <= max(of_parts)


def test_a_sketch_survives_storage_again_and_again() -> None:
    sketch = sketch_of([0.0, -3.0, 0.4, 12.0, 12.0, 90_000.0])
    stored = sketch
    for _ in range(20):
        stored = merged([stored])
    assert stored == sketch
    assert quantiles([stored], (0.0, 0.3)) == [0.0, 0.0]
    assert quantiles([stored], (1.0,)) == pytest.approx([90_000], rel=0.01)


def test_absurd_latencies_have_a_bin() -> None:
    assert quantiles([sketch_of([1e300, math.inf])], (0.5,)) == pytest.approx([1e12], rel=0.02)


def test_no_values_have_no_quantile() -> None:
    assert quantiles([sketch_of([])], (0.5, 0.95)) == [None, None]
    assert merged([]) == b""


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0.001, 1e6)), max_size=60), st.data())
def test_many_sketches_at_once_are_as_each_by_itself(values: list[tuple[int, float]], data: st.DataObject) -> None:
    alone = [sketch_of(value for group, value in values if group == wanted) for wanted in range(5)]
    bins = Bins.of_values([group for group, _ in values], [value for _, value in values])
    assert bins.stored(5) == alone
    assert bins.sizes(5).tolist() == [size_of([sketch]) for sketch in alone]
    assert bins.quantiles(5, SHARES) == [quantiles([sketch], SHARES) for sketch in alone]
    assert Bins.of_sketches(alone).plus(bins).stored(5) == [merged([sketch, sketch]) for sketch in alone]
    pairs = data.draw(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), unique=True))
    old, new = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    wanted_parts = [merged(alone[one] for one, other in pairs if other == place) for place in range(4)]
    assert bins.regrouped(old, new).stored(4) == wanted_parts
