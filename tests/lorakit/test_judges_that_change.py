"""Whether a judge fits other answers than those it was fitted to, and whether it still fits."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lorakit.stats.drift import alarm_at, cusum, evidence_of_change
from lorakit.stats.isotonic import isotonic_map
from lorakit.stats.transport import Transport, outside_labelled, transport_audit

RESIDUALS = [0.02, -0.05, 0.10, -0.12, 0.03, 0, 0.07, -0.02, 0.04, -0.08]


def test_the_audits_interval() -> None:
    # Of the recipes' own check script.
    audit = transport_audit(RESIDUALS, range(10), margin=0.1, models=3)
    assert (audit.interval.low, audit.interval.high) == pytest.approx((-0.063981, 0.061981), abs=1e-6)
    assert audit.mean == pytest.approx(-0.001)


def test_verdicts_of_an_audit() -> None:
    even = RESIDUALS * 3
    assert transport_audit(even, range(30), margin=0.1).verdict is Transport.PASS
    assert transport_audit(even, range(30), margin=0.01).verdict is Transport.INCONCLUSIVE
    assert transport_audit(even, range(30), margin=None).verdict is Transport.NOT_GRADED
    off = [residual + 0.5 for residual in RESIDUALS]
    assert transport_audit(off, range(10), margin=0.1).verdict is Transport.FAIL
    assert transport_audit([-residual for residual in off], range(10), margin=0.1).verdict is Transport.FAIL


def test_few_clusters_never_pass() -> None:
    rows = RESIDUALS * 4
    assert transport_audit(rows, [row % 19 for row in range(40)], margin=1).verdict is Transport.INCONCLUSIVE
    assert transport_audit(rows, [row % 20 for row in range(40)], margin=1).verdict is Transport.PASS
    with pytest.raises(ValueError, match="two clusters"):
        transport_audit([0.1, 0.2], ["same", "same"], margin=1)


def test_one_stray_label_does_not_widen_the_range() -> None:
    labelled = [0.4 + place / 100 for place in range(20)]
    stray = [*labelled, 0.95]
    assert outside_labelled([0.9] * 10, stray) == 1
    assert outside_labelled([0.5] * 10, stray) == 0
    assert outside_labelled([0.5], labelled[:8]) == 1
    with pytest.raises(ValueError, match="without scores"):
        outside_labelled([], labelled)


def test_the_map_pools_what_falls() -> None:
    found = isotonic_map([1, 2, 3, 4, 5], [1, 3, 2, 4, 3.5])
    assert found.grades == pytest.approx((1, 2.5, 2.5, 3.75, 3.75))
    assert found(1.5) == pytest.approx(1.75)
    assert (found(0), found(9)) == pytest.approx((1, 3.75))
    with pytest.raises(ValueError, match="without labels"):
        isotonic_map([], [])


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 5)), min_size=1, max_size=60))
@settings(deadline=None)
def test_a_map_never_falls_and_keeps_the_mean(pairs: list[tuple[int, int]]) -> None:
    found = isotonic_map([score for score, _ in pairs], [grade for _, grade in pairs])
    assert list(found.grades) == sorted(found.grades)
    assert sum(found(score) for score, _ in pairs) == pytest.approx(sum(grade for _, grade in pairs))
    assert all(1 - 1e-9 <= found(score / 2) <= 5 + 1e-9 for score in range(-4, 50))


def test_sums_grow_with_drift_in_either_direction() -> None:
    assert cusum([0.75, 0.75, -0.5, 1.25], baseline=0) == pytest.approx([0.5, 1.0, 0.25, 1.25])
    drifting = [0.5] * 40
    assert cusum(drifting, baseline=0)[-1] == pytest.approx(10)
    assert cusum([-residual for residual in drifting], baseline=0) == pytest.approx(cusum(drifting, baseline=0))
    assert max(cusum(drifting, baseline=0.5)) == 0


@pytest.mark.parametrize(("deviation", "ratio"), [(0.7, 10.4), (0.75, 11.1), (0.9, 12.7)])
def test_the_alarm_is_that_of_the_recipe_for_a_large_baseline(deviation: float, ratio: float) -> None:
    generator = random.Random(3)
    baseline = [generator.gauss(0, deviation) for _ in range(20_000)]
    assert alarm_at(baseline, seed=1) == pytest.approx(ratio * deviation, rel=0.15)


def test_a_small_baseline_needs_a_higher_alarm() -> None:
    generator = random.Random(4)
    baseline = [generator.gauss(0, 0.75) for _ in range(2000)]
    assert alarm_at(baseline[:100], seed=1) > alarm_at(baseline, seed=1)
    assert alarm_at(baseline, seed=1) == alarm_at(baseline, seed=1)
    with pytest.raises(ValueError, match="two residuals"):
        alarm_at([1], seed=1)


def test_evidence_of_a_known_change() -> None:
    assert evidence_of_change([], baseline=0) == pytest.approx(1)
    assert evidence_of_change([0.5] * 50, baseline=0) > 20
    assert evidence_of_change([0.5] * 50, baseline=0.5) < 2
    assert evidence_of_change([-9.0] * 3, baseline=0) == pytest.approx(evidence_of_change([2.0] * 3, baseline=0))


@pytest.mark.slow
def test_a_drift_of_half_a_grade_is_found_within_50_reviews() -> None:
    """In 90% of courses where the residuals' standard deviation is 0.75, with false alarms in at most 6% over 400."""
    generator, runs, deviation = random.Random(6), 300, 0.75
    baseline = [generator.gauss(0, deviation) for _ in range(20_000)]
    limit, centre = alarm_at(baseline, seed=2), math.fsum(baseline) / len(baseline)
    found = sum(
        max(cusum([generator.gauss(0.5, deviation) for _ in range(50)], baseline=centre)) > limit for _ in range(runs)
    )
    false = sum(
        max(cusum([generator.gauss(0, deviation) for _ in range(400)], baseline=centre)) > limit for _ in range(runs)
    )
    assert found / runs >= 0.85
    assert false / runs <= 0.08
