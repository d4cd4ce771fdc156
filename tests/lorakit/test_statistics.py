"""Intervals and tests against published and computed values.

Where no source is named, the values are those of the recipes' own check script, computed with scipy.
"""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lorakit.stats import (
    Interval,
    clopper_pearson_interval,
    cluster_interval,
    ends_interval,
    holm,
    mean_with_judge,
    newcombe_interval,
    sign_test,
    wilson_interval,
)
from lorakit.stats.quantiles import beta_quantile, beta_share, t_quantile, t_tails

EXACT = 1e-6


def ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(45, 60, 0.62768, 0.84223), (170, 200, 0.79394, 0.89286), (0, 10, 0.0, 0.27753), (10, 10, 0.72247, 1.0)],
)
def test_wilson_interval(successes: int, trials: int, low: float, high: float) -> None:
    assert ends(wilson_interval(successes, trials)) == pytest.approx((low, high), abs=5e-6)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (18, 20, 0.683017, 0.987651),
        (20, 20, 0.831567, 1.0),
        (0, 20, 0.0, 0.168433),
        (45, 60, 0.621404, 0.852814),
        (170, 200, 0.792841, 0.896450),
        (12345, 20000, 0.610472, 0.623994),
    ],
)
def test_clopper_pearson_interval(successes: int, trials: int, low: float, high: float) -> None:
    assert ends(clopper_pearson_interval(successes, trials)) == pytest.approx((low, high), abs=EXACT)


def test_sign_test() -> None:
    assert sign_test(18, 7) == pytest.approx((0.0216426, 0.0432853), abs=5e-8)
    assert sign_test(10_400, 9_600)[1] == pytest.approx(1.6e-8, abs=5e-10)
    assert sign_test(9, 0)[1] == pytest.approx(0.00390625)
    assert sign_test(0, 0) == (1.0, 1.0)
    assert sign_test(7, 18)[1] == sign_test(18, 7)[1]


def test_newcombe_interval() -> None:
    assert ends(newcombe_interval(36, 12, 2, 0)) == pytest.approx((0.056930, 0.340428), abs=EXACT)


@pytest.mark.parametrize(
    ("values", "scale", "centre", "low", "high"),
    [
        ([5] * 15 + [4] * 3 + [3, 1], (1, 5), 4.409091, 3.864147, 4.954034),
        ([1] * 6 + [0] * 11 + [-1] * 2 + [2], (-2, 2), 0.272727, -0.144558, 0.690012),
        ([1] * 8 + [-1] * 2 + [0] * 20, (-1, 1), 0.1875, -0.026642, 0.401642),
        ([5, 4, 4, 3, 5, 2, 4, 5, 1, 4, 3, 5, 4, 4, 5, 3, 2, 4, 5, 4], (1, 5), 3.727273, 3.156448, 4.298097),
    ],
)
def test_mean_with_pseudo_units(
    values: list[float], scale: tuple[float, float], centre: float, low: float, high: float
) -> None:
    estimate = ends_interval(values, low=scale[0], high=scale[1])
    assert estimate.centre == pytest.approx(centre, abs=EXACT)
    assert ends(estimate.interval()) == pytest.approx((low, high), abs=EXACT)
    assert estimate.mean == pytest.approx(sum(values) / len(values))


def test_mean_with_pseudo_clusters() -> None:
    estimate = cluster_interval([3, 1, 4, 0, 2, 5, 1, 2, 3, 2], [3, 2, 4, 1, 2, 6, 3, 2, 3, 4], low=0, high=1)
    assert estimate.centre == pytest.approx(0.722222, abs=EXACT)
    assert ends(estimate.interval()) == pytest.approx((0.495394, 0.949051), abs=EXACT)


def test_mean_of_labels_and_judge() -> None:
    labels = [5, 4, 4, 3, 5, 2, 4, 5, 1, 4, 3, 5, 4, 4, 5, 3, 2, 4, 5, 4]
    judged = [5, 4, 5, 3, 4, 3, 4, 5, 2, 4, 4, 5, 4, 3, 5, 4, 3, 4, 5, 5]
    estimate, weight = mean_with_judge(labels, judged, rows=1000, mean=4.10, variance=0.81, low=1, high=5)
    assert weight == 1
    assert estimate.mean == pytest.approx(3.85, abs=EXACT)
    assert ends(estimate.interval()) == pytest.approx((3.356500, 4.188954), abs=EXACT)


def test_a_judge_that_always_says_the_same_has_no_weight() -> None:
    labels = [5.0, 3.0, 4.0, 4.0]
    estimate, weight = mean_with_judge(labels, [3.0] * 4, rows=100, mean=3.0, variance=0.0, low=1, high=5)
    assert weight == 0
    assert estimate.mean == 4


def test_holms_correction() -> None:
    # R: p.adjust(c(.01, .04, .03, .005), "holm")
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1)))
@settings(deadline=None)
def test_a_correction_keeps_the_order_and_never_helps(p_values: list[float]) -> None:
    corrected = holm(p_values)
    assert all(raw <= new <= 1 for raw, new in zip(p_values, corrected, strict=True))
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    assert [corrected[place] for place in order] == sorted(corrected)


@pytest.mark.parametrize(
    ("share", "degrees", "t"),
    [
        (0.975, 1, 12.706204736),
        (0.975, 9, 2.262157163),
        (0.975, 19, 2.093024054),
        (0.975, 19999, 1.960082611),
        (0.5, 5, 0),
    ],
)
def test_quantiles_of_t(share: float, degrees: int, t: float) -> None:
    assert t_quantile(share, degrees) == pytest.approx(t, abs=EXACT)
    assert t_tails(t, degrees) == pytest.approx(2 * (1 - share), abs=1e-8)


@given(st.floats(0.001, 0.999), st.floats(0.3, 5000), st.floats(0.3, 5000))
@settings(deadline=None)
def test_quantiles_of_beta_invert_its_shares(share: float, a: float, b: float) -> None:
    point = beta_quantile(share, a, b)
    # Near 0 and 1 the share may rise by more than that from one number to the next.
    before, after = (beta_share(math.nextafter(point, end), a, b) for end in (0, 1))
    assert before - 1e-7 <= share <= after + 1e-7


def test_quantiles_where_the_two_sides_of_the_fraction_meet() -> None:
    assert beta_quantile(0.4851242025787884, 1 / 3, 3.0) == pytest.approx(0.03181277916125527, abs=1e-12)
    assert beta_share(0.25, 1 / 3, 3.0) == pytest.approx(1 - beta_share(0.75, 3.0, 1 / 3))


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0.01, 0.99))
@settings(deadline=None)
def test_shares_of_beta_are_sums_of_binomials(a: int, b: int, x: float) -> None:
    n = a + b - 1
    assert beta_share(x, a, b) == pytest.approx(
        sum(math.comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(a, n + 1)), abs=1e-10
    )


@given(st.lists(st.floats(-2, 2), min_size=2, max_size=60))
@settings(deadline=None)
def test_the_test_agrees_with_the_interval(values: list[float]) -> None:
    estimate = ends_interval(values, low=-2, high=2)
    interval, p_value = estimate.interval(), estimate.p_value()
    if abs(p_value - 0.05) > 1e-6:
        assert (p_value < 0.05) == (not interval.low <= 0 <= interval.high)


@given(st.lists(st.integers(0, 1), min_size=2, max_size=60))
@settings(deadline=None)
def test_clusters_of_one_row_are_nearly_rows(values: list[int]) -> None:
    rows = ends_interval(values, low=0, high=1)
    clusters = cluster_interval(values, [1] * len(values), low=0, high=1)
    assert (clusters.mean, clusters.centre) == pytest.approx((rows.mean, rows.centre))
    assert clusters.error == pytest.approx(rows.error)


@pytest.mark.parametrize(
    ("values", "match"), [([], "at least two"), ([1.0], "at least two"), ([0.0, 3.0], "off the scale")]
)
def test_what_has_no_interval_is_an_error(values: list[float], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        ends_interval(values, low=0, high=1)


def test_clusters_need_rows_and_labels_a_judge() -> None:
    with pytest.raises(ValueError, match="two clusters"):
        cluster_interval([1], [2], low=0, high=1)
    with pytest.raises(ValueError, match="with a row"):
        cluster_interval([1, 0], [2, 0], low=0, high=1)
    with pytest.raises(ValueError, match="judge's score"):
        mean_with_judge([1, 2, 3], [1, 2], rows=10, mean=2, variance=1, low=1, high=5)
    with pytest.raises(ValueError, match="successes"):
        clopper_pearson_interval(3, 2)
