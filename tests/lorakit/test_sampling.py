"""Rows drawn with known probabilities, and means of all rows from them."""

import random
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lorakit.stats import ends_interval
from lorakit.stats.sampling import (
    cell_errors,
    drawn,
    hajek_mean,
    horvitz_thompson_mean,
    probabilities,
    random_keys,
)


def test_keys_are_the_same_everywhere() -> None:
    keys = random_keys(["a", "b"], seed="round 1")
    assert keys == pytest.approx([0.15628035659055461, 0.1308537352537118])
    assert random_keys(["b"], seed="round 1") == keys[1:]
    assert random_keys(["a"], seed="round 2") != keys[:1]


def test_keys_are_uniform() -> None:
    keys = random_keys([str(row) for row in range(10_000)], seed="any")
    assert all(0 <= key < 1 for key in keys)
    assert fmean(keys) == pytest.approx(0.5, abs=0.01)
    assert fmean(key < 0.1 for key in keys) == pytest.approx(0.1, abs=0.01)


def test_few_labels_say_little_of_a_cells_error() -> None:
    errors = cell_errors({"plain": [0.5, -0.5] * 50, "disputed": [2.0], "empty": []})
    mean = (100 * 0.25 + 4) / 101
    assert errors["plain"] == pytest.approx(((25 + 5 * mean) / 105) ** 0.5)
    assert errors["disputed"] == pytest.approx(((4 + 5 * mean) / 6) ** 0.5)
    assert errors["empty"] == pytest.approx(mean**0.5)
    assert cell_errors({"empty": []}) == {"empty": 0}


def test_half_of_the_labels_are_uniform() -> None:
    chances = probabilities(["plain"] * 800 + ["disputed"] * 200, {"plain": 0.5, "disputed": 2.0}, labels=100)
    assert sum(chances) == pytest.approx(100)
    assert chances[0] == pytest.approx(0.1 * (0.5 + 0.5 * 0.5 / 0.8))
    assert chances[-1] == pytest.approx(0.1 * (0.5 + 0.5 * 2.0 / 0.8))


def test_rows_of_unknown_cells_are_average() -> None:
    assert probabilities(["a", "b", "new"], {"a": 1, "b": 3}, labels=1)[2] == pytest.approx(1 / 3)
    assert probabilities(["a", "b"], {}, labels=1) == pytest.approx([0.5, 0.5])
    assert probabilities(["a", "b"], {"a": 0, "b": 0}, labels=1) == pytest.approx([0.5, 0.5])


@given(
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=60),
    st.dictionaries(st.sampled_from("abcd"), st.floats(0, 10)),
    st.data(),
)
@settings(deadline=None)
def test_probabilities_add_up_and_no_row_is_left_out(
    cells: list[str], errors: dict[str, float], data: st.DataObject
) -> None:
    labels = data.draw(st.integers(1, len(cells)))
    chances = probabilities(cells, errors, labels=labels)
    assert sum(chances) == pytest.approx(labels)
    assert max(chances) <= 1 + 1e-9
    assert min(chances) >= labels / len(cells) / 2 - 1e-9


def test_more_labels_than_rows_are_an_error() -> None:
    for labels in (0, 3):
        with pytest.raises(ValueError, match="no more than rows"):
            probabilities(["a", "b"], {}, labels=labels)


def test_the_same_keys_draw_a_uniform_part() -> None:
    keys = random_keys([str(row) for row in range(2000)], seed="part")
    chances = [0.05] * 1000 + [0.2] * 1000
    chosen, uniform = drawn(keys, chances), drawn(keys, [0.05] * 2000)
    assert set(uniform) <= set(chosen)
    assert len(chosen) == pytest.approx(250, abs=45)
    assert len(uniform) == pytest.approx(100, abs=30)


def test_rows_that_are_likelier_drawn_do_not_come_later() -> None:
    keys = random_keys([str(row) for row in range(20_000)], seed="order")
    chances = [0.05] * 10_000 + [0.5] * 10_000
    chosen = drawn(keys, chances)
    half = len(chosen) // 2
    first, second = (fmean(place >= 10_000 for place in part) for part in (chosen[:half], chosen[half:]))
    assert first == pytest.approx(second, abs=0.02)


def test_equal_probabilities_are_the_plain_mean() -> None:
    values = [5.0, 4, 4, 3, 5]
    found, plain = hajek_mean(values, [0.25] * 5, low=1, high=5), ends_interval(values, low=1, high=5)
    assert (found.mean, found.centre, found.error) == pytest.approx((plain.mean, plain.centre, plain.error))
    mean, error = horvitz_thompson_mean(values, [0.25] * 5, rows=20)
    assert mean == pytest.approx(4.2)
    assert error == pytest.approx((0.75 * sum(value**2 for value in values)) ** 0.5 * 4 / 20)


def test_all_rows_drawn_have_no_error() -> None:
    assert horvitz_thompson_mean([1, 2, 3], [1, 1, 1], rows=3) == (2, 0)


def test_unequal_probabilities() -> None:
    # Weights 2, 4 and 10.
    assert hajek_mean([1, 0, 1], [0.5, 0.25, 0.1], low=0, high=1).mean == pytest.approx(12 / 16)
    assert horvitz_thompson_mean([1, 0, 1], [0.5, 0.25, 0.1], rows=20)[0] == pytest.approx(12 / 20)


def test_what_has_no_weighted_mean_is_an_error() -> None:
    with pytest.raises(ValueError, match="probability"):
        hajek_mean([1, 1], [0, 0.5], low=0, high=1)
    with pytest.raises(ValueError, match="probability"):
        horvitz_thompson_mean([1], [1.5], rows=1)
    with pytest.raises(ValueError, match="off the scale"):
        hajek_mean([2, 1], [0.5, 0.5], low=0, high=1)
    with pytest.raises(ValueError, match="two rows"):
        hajek_mean([1], [0.5], low=0, high=1)


@pytest.mark.slow
def test_weights_undo_the_draw() -> None:
    """Disputed rows pass less and are drawn more: the plain mean of the drawn is wrong, the weighted intervals hold."""
    generator, runs = random.Random(5), 400
    cells = ["disputed" if row % 5 == 0 else "plain" for row in range(1000)]
    chances = probabilities(cells, {"plain": 0.2, "disputed": 0.8}, labels=40)
    weighted = plain = 0
    thompson = []
    for run in range(runs):
        values = [float(generator.random() < (0.4 if cell == "disputed" else 0.95)) for cell in cells]
        truth = fmean(values)
        chosen = drawn(random_keys([str(row) for row in range(1000)], seed=str(run)), chances)
        found = [values[place] for place in chosen]
        interval = hajek_mean(found, [chances[place] for place in chosen], low=0, high=1).interval()
        naive = ends_interval(found, low=0, high=1).interval()
        weighted += interval.low <= truth <= interval.high
        plain += naive.low <= truth <= naive.high
        thompson.append(horvitz_thompson_mean(found, [chances[place] for place in chosen], rows=1000)[0] - truth)
    assert weighted / runs >= 0.94
    assert plain / runs < 0.9
    assert fmean(thompson) == pytest.approx(0, abs=0.02)
