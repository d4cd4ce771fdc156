import random

import pytest

from lorakit.train.examples import Example
from lorakit.train.order import OrderByLength


def examples(lengths: list[int]) -> list[Example]:
    return [Example([0] * length, [0] * length) for length in lengths]


def padding(lengths: list[int], order: list[int], batch: int) -> float:
    """The share of a training's columns that are padding."""
    batches = [[lengths[i] for i in order[at : at + batch]] for at in range(0, len(order), batch)]
    return 1 - sum(lengths) / sum(max(those) * len(those) for those in batches)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 33, 400, 3001])
def test_every_example_is_read_once_in_each_epoch(count: int) -> None:
    order = OrderByLength(examples([random.Random(i).randint(1, 90) for i in range(count)]), step=8, seed=0)
    assert sorted(order) == list(range(count))
    order.set_epoch(1)
    assert sorted(order) == list(range(count))
    assert len(order) == count


def test_the_order_follows_from_seed_and_epoch() -> None:
    rows = examples([random.Random(i).randint(1, 90) for i in range(200)])
    first, again, other = (OrderByLength(rows, step=8, seed=seed) for seed in (5, 5, 6))
    assert list(first) == list(again) != list(other)
    again.set_epoch(1)
    assert list(first) != list(again)
    first.set_epoch(1)
    assert list(first) == list(again)


def test_hardly_any_column_is_padding() -> None:
    lengths = [int(random.Random(i).lognormvariate(4.5, 0.9)) + 5 for i in range(2000)]
    shuffled = random.Random(0).sample(range(2000), 2000)
    assert padding(lengths, shuffled, 8) > 0.4
    assert padding(lengths, list(OrderByLength(examples(lengths), step=8, seed=0)), 8) < 0.15


def test_lengths_do_not_rise_or_fall_over_an_epoch() -> None:
    """Sorted alone, a training would read all short rows first, then all long ones."""
    lengths = list(range(1, 1601))
    order = list(OrderByLength(examples(lengths), step=8, seed=0))
    halves = [sum(lengths[i] for i in half) / 800 for half in (order[:800], order[800:])]
    assert halves == pytest.approx([800, 800], rel=0.1)


def test_batches_hold_other_examples_in_each_epoch() -> None:
    lengths = [random.Random(i).randint(1, 90) for i in range(160)]
    order = OrderByLength(examples(lengths), step=8, seed=0)
    batches = []
    for epoch in range(2):
        order.set_epoch(epoch)
        read = list(order)
        batches.append({frozenset(read[at : at + 8]) for at in range(0, 160, 8)})
    assert len(batches[0] & batches[1]) <= 2
