"""The intervals and tests behind "is the difference real"."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lorakit.stats.difference import Difference, at_once, difference


def pairs(both: int, wins: int, losses: int, neither: int) -> list[tuple[float, float]]:
    return [(1.0, 1.0)] * both + [(0.0, 1.0)] * wins + [(1.0, 0.0)] * losses + [(0.0, 0.0)] * neither


def found(rows: list[tuple[float, float]]) -> Difference:
    one = difference(rows)
    assert one is not None
    return one


def test_published_interval_of_newcombes_method() -> None:
    """Airway hyper-responsiveness of 21 children, Fagerland, Lydersen and Laake 2014, table II: -0.507 to -0.026."""
    change = found(pairs(1, 1, 7, 12))
    assert change.mean == pytest.approx(-0.286, abs=5e-4)
    assert change.low == pytest.approx(-0.507, abs=5e-4)
    assert change.high == pytest.approx(-0.026, abs=5e-4)


def test_sign_test_over_the_rows_that_differ() -> None:
    assert found(pairs(50, 18, 7, 25)).p_value == pytest.approx(0.0432853, abs=1e-7)


def test_swapping_the_models_swaps_the_sign() -> None:
    forth, back = found(pairs(10, 12, 3, 5)), found(pairs(10, 3, 12, 5))
    assert forth.mean == -back.mean
    assert forth.low == pytest.approx(-back.high)
    assert forth.p_value == back.p_value


def test_all_against_nothing_keeps_some_doubt() -> None:
    change = found(pairs(0, 20, 0, 0))
    assert change.mean == change.high == 1.0
    assert 0.7 < change.low < 0.95


def test_equal_models_show_no_difference() -> None:
    change = found(pairs(8, 0, 0, 4))
    assert change.mean == 0.0
    assert change.low < 0 < change.high
    assert change.p_value == pytest.approx(1.0)


def compared(rows: list[tuple[float, float]], clusters: list[int] | None = None) -> Difference:
    found = difference(rows, clusters=clusters)
    assert found is not None
    return found


def test_passes_and_fails_get_newcombes_interval_and_the_sign_test() -> None:
    found = compared([(float(base), float(adapter)) for base, adapter in pairs(36, 12, 2, 0)])
    assert (found.method, found.verdict) == ("newcombe", "better")
    assert (found.low, found.high) == pytest.approx((0.056930, 0.340428), abs=1e-6)
    assert found.p_value == pytest.approx(0.012939453125)


def test_scores_get_pseudo_units_at_the_ends_of_the_scale() -> None:
    grades = [1] * 6 + [0] * 11 + [-1] * 2 + [2]
    found = difference([(3, 3 + change) for change in grades], lowest=1, highest=5, reach=2)
    assert found is not None
    assert found.method == "ends"
    assert (found.low, found.high) == pytest.approx((-0.144558, 0.690012), abs=1e-6)
    assert found.verdict == "unclear"


def test_rows_of_one_prompt_are_no_more_than_one_unit() -> None:
    rows = [(0.0, 1.0), (0.0, 1.0), (0.0, 0.0), (0.0, 1.0)] * 25
    alone, together = compared(rows), compared(rows, clusters=[place // 10 for place in range(100)])
    assert (alone.units, together.units, together.rows) == (100, 10, 100)
    assert together.method == "clusters"
    assert together.mean == pytest.approx(alone.mean)
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_fewer_than_twenty_units_do_not_show_that_something_is_better() -> None:
    assert compared([(0.0, 1.0)] * 19).verdict == "too few"
    assert compared([(0.0, 1.0)] * 20).verdict == "better"
    assert compared([(1.0, 0.0)] * 19).verdict == "worse"
    assert compared([(0.0, 1.0)] * 100, clusters=[place % 19 for place in range(100)]).verdict == "too few"


def test_clusters_of_one_row_each_are_rows() -> None:
    rows = [(0.2, 0.4), (0.1, 0.3), (0.5, 0.1)]
    assert compared(rows, clusters=[1, 2, 3]) == compared(rows)


def test_too_few_rows_or_clusters_say_nothing() -> None:
    assert difference([]) is difference([(0.1, 0.2)]) is None
    assert difference([(0.1, 0.2), (0.2, 0.4)], clusters=[7, 7]) is None


def test_many_comparisons_are_corrected_for_their_number() -> None:
    one = compared([(0.0, 1.0)] * 6 + [(1.0, 1.0)] * 20)
    assert one.p_value == pytest.approx(0.03125)
    assert one.verdict == "better"
    several = at_once([one, compared([(0.0, 0.0)] * 26), one])
    assert [found.p_value for found in several] == pytest.approx([0.09375, 1.0, 0.09375])
    assert several[0].verdict == "unclear"
    assert several[0].comparisons == 3
    assert (several[0].low, several[0].high) == (one.low, one.high)


shares = st.floats(0, 1)


@given(st.lists(st.tuples(shares, shares, st.integers(0, 4)), min_size=2, max_size=40), st.booleans())
@settings(deadline=None)
def test_swapping_the_models_mirrors_everything(rows: list[tuple[float, float, int]], grouped: bool) -> None:
    clusters = [cluster for _, _, cluster in rows] if grouped else None
    forth = difference([(first, second) for first, second, _ in rows], clusters=clusters)
    back = difference([(second, first) for first, second, _ in rows], clusters=clusters)
    if forth is None or back is None:
        assert forth is back
        return
    assert -1 <= forth.low <= forth.high <= 1
    assert (forth.mean, forth.low, forth.high, forth.p_value) == pytest.approx(
        (-back.mean, -back.high, -back.low, back.p_value), abs=1e-9
    )
