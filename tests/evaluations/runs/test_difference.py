"""The interval and test behind "is the difference real"."""

import pytest

from evaluations.runs.difference import paired_difference


def pairs(both: int, wins: int, losses: int, neither: int) -> list[tuple[bool, bool]]:
    return [(True, True)] * both + [(False, True)] * wins + [(True, False)] * losses + [(False, False)] * neither


def test_published_interval_of_newcombes_method() -> None:
    """Airway hyper-responsiveness of 21 children, Fagerland, Lydersen and Laake 2014, table II: -0.507 to -0.026."""
    difference = paired_difference(pairs(1, 1, 7, 12))
    assert difference["mean"] == pytest.approx(-0.286, abs=5e-4)
    assert difference["low"] == pytest.approx(-0.507, abs=5e-4)
    assert difference["high"] == pytest.approx(-0.026, abs=5e-4)


def test_sign_test_over_the_rows_that_differ() -> None:
    assert paired_difference(pairs(50, 18, 7, 25))["p_value"] == pytest.approx(0.0432853, abs=1e-7)


def test_swapping_the_models_swaps_the_sign() -> None:
    forth, back = paired_difference(pairs(10, 12, 3, 5)), paired_difference(pairs(10, 3, 12, 5))
    assert forth["mean"] == -back["mean"]
    assert forth["low"] == pytest.approx(-back["high"])
    assert forth["p_value"] == back["p_value"]


def test_all_against_nothing_keeps_some_doubt() -> None:
    difference = paired_difference(pairs(0, 20, 0, 0))
    assert difference["mean"] == difference["high"] == 1.0
    assert 0.7 < difference["low"] < 0.95


def test_equal_models_show_no_difference() -> None:
    difference = paired_difference(pairs(8, 0, 0, 4))
    assert difference["mean"] == 0.0
    assert difference["low"] < 0 < difference["high"]
    assert difference["p_value"] == 1.0


def test_no_rows_are_an_error() -> None:
    with pytest.raises(ValueError, match="trials"):
        paired_difference([])
