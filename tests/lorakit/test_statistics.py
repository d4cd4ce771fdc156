"""Intervals and tests against published values."""

import pytest

from lorakit.stats import compare_paired, paired_bootstrap, sign_test, wilson_interval


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(45, 60, 0.62768, 0.84223), (170, 200, 0.79394, 0.89286), (0, 10, 0.0, 0.27753), (10, 10, 0.72247, 1.0)],
)
def test_wilson_interval(successes: int, trials: int, low: float, high: float) -> None:
    interval = wilson_interval(successes, trials)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-6)


def test_sign_test() -> None:
    assert sign_test(18, 7) == pytest.approx((0.0216426, 0.0432853), abs=5e-8)
    assert sign_test(0, 0) == (1.0, 1.0)
    assert sign_test(7, 18)[1] == sign_test(18, 7)[1]


def test_bootstrap_interval_is_near_the_normal_one_and_repeatable() -> None:
    differences = [0.0] * 50 + [1.0] * 50
    interval = paired_bootstrap(differences, resamples=2000)
    assert (interval.low, interval.high) == pytest.approx((0.402, 0.598), abs=0.02)
    assert paired_bootstrap(differences, resamples=2000) == interval


def test_a_clear_difference_is_real_and_noise_is_not() -> None:
    base, adapter = [0.0] * 40, [1.0] * 35 + [0.0] * 5
    clear = compare_paired(base, adapter)
    assert (clear.wins, clear.losses, clear.ties) == (35, 0, 5)
    assert clear.real
    noise = compare_paired([0.0, 1.0] * 20, [1.0, 0.0] * 20)
    assert noise.difference == 0.0
    assert not noise.real


def test_nothing_to_compare_is_an_error() -> None:
    with pytest.raises(ValueError, match="no differences"):
        compare_paired([], [])
    with pytest.raises(ValueError, match="trials"):
        wilson_interval(0, 0)
