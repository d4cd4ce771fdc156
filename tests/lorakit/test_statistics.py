"""Intervals and tests against published values."""

import pytest

from lorakit.stats import sign_test, wilson_interval


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
