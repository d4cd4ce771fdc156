"""Parts of a cost sum to it, whatever the weights."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metering.costs.shares import largest_remainder, split
from tests.examples import examples

WEIGHTS = st.lists(st.integers(0, 10**12), min_size=1, max_size=40)


@settings(max_examples=examples(300), deadline=None)
@given(st.integers(0, 10**12), WEIGHTS.filter(any))
def test_parts_sum_to_the_whole_and_are_within_one_of_their_due(total: int, weights: list[int]) -> None:
    parts = largest_remainder(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * sum(weights) - total * weight) < sum(weights)


@settings(max_examples=examples(300), deadline=None)
@given(st.integers(0, 10**12), st.integers(0, 10**10), st.integers(0, 10**10), WEIGHTS, st.booleans())
def test_used_and_idle_and_the_operators_part_sum_to_the_whole(
    total: int, used: int, capacity: int, weights: list[int], shared: bool
) -> None:
    idle = [1] * len(weights) if shared else [0] * len(weights)
    parts = split(total, used=used, capacity=capacity, weights=weights, idle_weights=idle)
    assert sum(parts.used) + sum(parts.idle) + parts.operator == total
    assert min([*parts.used, *parts.idle, parts.operator]) >= 0
    assert shared is (parts.operator == 0) or parts.operator == 0
    assert all(part == 0 for part, weight in zip(parts.used, weights, strict=True) if weight == 0)


def test_ten_thirds_of_a_dollar() -> None:
    """Ten adapters with a tenth each of a third of a dollar, which has no whole number of millionths."""
    parts = split(1_000_000, used=1, capacity=3, weights=[1] * 10, idle_weights=[0] * 10)
    assert parts.used == [33_334] * 3 + [33_333] * 7
    assert parts.operator == 666_667


def test_the_largest_remainder_gets_the_rest() -> None:
    assert largest_remainder(10, [1, 1, 1]) == [4, 3, 3]
    assert largest_remainder(100, [0, 333, 667]) == [0, 33, 67]


@pytest.mark.parametrize("weights", [[], [0, 0], [2, -1]])
def test_weights_without_a_share_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        largest_remainder(5, weights)
