"""Evidence that may be looked at after every review, its intervals, and how many reviews it still takes.

Where no source is named, the values are those of the recipes' own check script.
"""

import itertools
import math
import random
from collections.abc import Sequence
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lorakit.stats import Interval
from lorakit.stats.always_valid import beta_binomial_interval, betting_interval
from lorakit.stats.evidence import DECISIVE, START, add_gain, evidence, log_evidence
from lorakit.stats.gains import Gains, JudgedRows, cluster_gains, gains, gains_with_judge, weighted_gains
from lorakit.stats.more_reviews import forecast, roughly

EXACT = 1e-6
PASSES = [1, 1, 0, 1, 1, 1, 0, 1, 1, 1]


def passes(passed: int, failed: int, threshold: float) -> Gains:
    return gains([1] * passed + [0] * failed, threshold=threshold, low=0, high=1)


def ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


@pytest.mark.parametrize(
    ("passed", "failed", "threshold", "value"),
    [
        (18, 2, 0.7, 5.546411),
        (13, 0, 0.7, 24.366039),
        (12, 0, 0.7, 18.319004),
        (9, 1, 0.5, 18.563046),
        (30, 10, 0.5, 63.229965),
    ],
)
def test_passes_and_fails(passed: int, failed: int, threshold: float, value: float) -> None:
    assert passes(passed, failed, threshold).promote == pytest.approx(value, abs=EXACT)


def test_a_decline() -> None:
    assert passes(8, 12, 0.7).decline == pytest.approx(17.586012, abs=EXACT)


@pytest.mark.parametrize(("wins", "losses", "ties", "value"), [(14, 4, 12, 8.932094), (20, 5, 15, 48.522052)])
def test_wins_and_losses(wins: int, losses: int, ties: int, value: float) -> None:
    verdicts = [1] * wins + [-1] * losses + [0] * ties
    assert gains(verdicts, threshold=0, low=-1, high=1).promote == pytest.approx(value, abs=EXACT)


def test_grades() -> None:
    grades = [5, 4, 4, 3, 5, 5, 4, 5, 2, 5]
    assert gains(grades, threshold=3.5, low=1, high=5).promote == pytest.approx(3.232746, abs=EXACT)
    differences = [1, 0, 2, 0, 1, -1, 1, 0, 1, 3]
    assert gains(differences, threshold=0, low=-4, high=4).promote == pytest.approx(2.574136, abs=EXACT)


def test_weights() -> None:
    weights = [0.5, 0.5, 2, 0.5, 1, 0.5, 2, 1, 0.5, 1]
    found = weighted_gains(PASSES, weights, heaviest=2, threshold=0.6, low=0, high=1)
    assert found.promote == pytest.approx(0.546734, abs=EXACT)
    even = weighted_gains(PASSES, [1] * 10, heaviest=1, threshold=0.6, low=0, high=1)
    assert even == gains(PASSES, threshold=0.6, low=0, high=1)
    with pytest.raises(ValueError, match="larger than the largest"):
        weighted_gains(PASSES, weights, heaviest=1, threshold=0.6, low=0, high=1)


def test_control_by_a_judge() -> None:
    judged = [0.9, 0.8, 0.3, 0.9, 0.6, 0.9, 0.5, 0.8, 0.9, 0.7]
    rows = JudgedRows(mean=0.68, lowest=0.1, highest=0.95)
    found = gains_with_judge(PASSES, judged, rows=rows, weight=0.5, threshold=0.6, low=0, high=1)
    assert found.promote == pytest.approx(2.233061, abs=EXACT)
    without = gains_with_judge(PASSES, judged, rows=rows, weight=0, threshold=0.6, low=0, high=1)
    assert without.promote == pytest.approx(1.656209, abs=EXACT)
    with pytest.raises(ValueError, match="outside the range"):
        gains_with_judge([1], [0.99], rows=rows, weight=0.5, threshold=0.6, low=0, high=1)


def test_whole_clusters() -> None:
    found = cluster_gains([3, 1, 4, 2, 5], [3, 2, 4, 2, 6], largest=6, threshold=0.6, low=0, high=1)
    assert found.promote == pytest.approx(1.907669, abs=EXACT)
    with pytest.raises(ValueError, match="larger than the largest"):
        cluster_gains([3], [7], largest=6, threshold=0.6, low=0, high=1)


def test_what_cannot_be_evidence_is_an_error() -> None:
    with pytest.raises(ValueError, match="greatest loss"):
        evidence([-0.8], risk=0.7)
    with pytest.raises(ValueError, match="greatest loss"):
        add_gain(START, 0.0, risk=0.0)
    with pytest.raises(ValueError, match="inside the scale"):
        gains([1], threshold=1, low=0, high=1)
    with pytest.raises(ValueError, match="inside the scale"):
        weighted_gains([1], [1], heaviest=1, threshold=6, low=1, high=5)


def test_no_review_is_no_evidence() -> None:
    assert gains([], threshold=0.5, low=0, high=1).promote == pytest.approx(1)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8])
@pytest.mark.parametrize("reviews", [1, 5, 10])
def test_under_the_null_evidence_is_1_on_average(threshold: float, reviews: int) -> None:
    """Exactly, over all courses of reviews whose pass rate is the threshold."""
    total = 0.0
    for course in itertools.product((0, 1), repeat=reviews):
        chance = math.prod(threshold if passed else 1 - threshold for passed in course)
        total += chance * gains(course, threshold=threshold, low=0, high=1).promote
    assert total == pytest.approx(1)


@given(st.lists(st.floats(1, 5), max_size=30), st.floats(1.01, 4.99), st.integers(0, 50))
@settings(deadline=None)
def test_the_order_of_reviews_and_the_unit_of_the_scale_do_not_matter(
    grades: list[float], threshold: float, seed: int
) -> None:
    found = gains(grades, threshold=threshold, low=1, high=5)
    mixed = list(grades)
    random.Random(seed).shuffle(mixed)
    other = gains([10 * grade for grade in mixed], threshold=10 * threshold, low=10, high=50)
    assert other.promote == pytest.approx(found.promote, rel=1e-6)
    assert other.decline == pytest.approx(found.decline, rel=1e-6)


@given(st.lists(st.floats(0, 1), max_size=30), st.floats(0.05, 0.95))
@settings(deadline=None)
def test_to_promote_is_to_decline_the_opposite(verdicts: list[float], threshold: float) -> None:
    found = gains(verdicts, threshold=threshold, low=0, high=1)
    turned = gains([1 - verdict for verdict in verdicts], threshold=1 - threshold, low=0, high=1)
    assert turned.decline == pytest.approx(found.promote, rel=1e-6)


def test_evidence_kept_between_reviews_is_that_of_all() -> None:
    logs = START
    for passed in PASSES:
        logs = add_gain(logs, passed - 0.6, risk=0.6)
    assert math.exp(log_evidence(logs)) == pytest.approx(gains(PASSES, threshold=0.6, low=0, high=1).promote)


def test_the_interval_of_evidence() -> None:
    assert ends(betting_interval([1] * 18 + [0] * 2, low=0, high=1)) == pytest.approx((0.630338, 0.996324), abs=EXACT)
    assert ends(betting_interval([], low=1, high=5)) == pytest.approx((1, 5))
    with pytest.raises(ValueError, match="off the scale"):
        betting_interval([6], low=1, high=5)


@given(st.lists(st.integers(1, 5), max_size=60), st.floats(1.05, 4.95))
@settings(deadline=None)
def test_interval_and_decision_never_disagree(grades: list[int], threshold: float) -> None:
    interval = betting_interval(grades, low=1, high=5)
    found = gains(grades, threshold=threshold, low=1, high=5)
    if abs(found.promote - DECISIVE) > 1e-6:
        assert (found.promote >= DECISIVE) == (threshold < interval.low)
    if abs(found.decline - DECISIVE) > 1e-6:
        assert (found.decline >= DECISIVE) == (threshold > interval.high)
    if grades:
        assert interval.low <= fmean(grades) <= interval.high


def test_the_interval_of_evidence_with_control_by_a_judge() -> None:
    """Of each verdict less its judge's part, on a scale that is wider by as much: it agrees with the decision."""
    generator, weight = random.Random(21), 0.5
    judged = [generator.random() for _ in range(300)]
    verdicts = [float(generator.random() < 0.4 + 0.6 * score) for score in judged]
    rows = JudgedRows(fmean(judged), min(judged), max(judged))
    interval = betting_interval(
        [verdict - weight * (score - rows.mean) for verdict, score in zip(verdicts, judged, strict=True)],
        low=-weight * (rows.highest - rows.mean),
        high=1 + weight * (rows.mean - rows.lowest),
    )
    for threshold in (interval.low - 1e-6, interval.low + 1e-6, interval.high - 1e-6, interval.high + 1e-6):
        found = gains_with_judge(verdicts, judged, rows=rows, weight=weight, threshold=threshold, low=0, high=1)
        assert (found.promote >= DECISIVE) == (threshold < interval.low)
        assert (found.decline >= DECISIVE) == (threshold > interval.high)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"), [(45, 60, 0.55351, 0.89405), (170, 200, 0.75184, 0.92181)]
)
def test_robbins_sequence(successes: int, trials: int, low: float, high: float) -> None:
    assert ends(beta_binomial_interval(successes, trials)) == pytest.approx((low, high), abs=5e-6)


@given(st.integers(0, 300), st.integers(0, 300))
@settings(deadline=None)
def test_robbins_sequence_is_symmetric_and_holds_the_share(successes: int, failures: int) -> None:
    trials = successes + failures
    if not trials:
        with pytest.raises(ValueError, match="at least 1"):
            beta_binomial_interval(0, 0)
        return
    interval, turned = beta_binomial_interval(successes, trials), beta_binomial_interval(failures, trials)
    assert 0 <= interval.low <= successes / trials <= interval.high <= 1
    assert ends(turned) == pytest.approx((1 - interval.high, 1 - interval.low), abs=1e-9)


@pytest.mark.parametrize(
    ("failed", "passed", "threshold", "reviews"), [(12, 28, 0.5, 9.028089), (7, 33, 0.7, 50.841586)]
)
def test_a_rough_number_of_reviews(failed: int, passed: int, threshold: float, reviews: float) -> None:
    categories = gains([0, 1], threshold=threshold, low=0, high=1)
    assert roughly([failed, passed], categories) == pytest.approx(reviews, abs=EXACT)


def test_reviews_that_lead_nowhere() -> None:
    categories = gains([-1, 0, 1], threshold=0, low=-1, high=1)
    assert math.isinf(roughly([0, 10, 0], categories))
    assert roughly([0, 0, 40], categories) == 0
    with pytest.raises(ValueError, match="without reviews"):
        roughly([0, 0, 0], categories)


def test_a_forecast() -> None:
    categories = gains([0, 1], threshold=0.5, low=0, high=1)
    found = forecast([12, 28], categories, cap=400, seed=7)
    assert found == forecast([12, 28], categories, cap=400, seed=7)
    assert found.early is not None
    assert found.median is not None
    assert 1 <= found.early <= found.median <= 60
    assert found.promote + found.decline + found.neither == pytest.approx(1)
    assert found.promote > 0.85
    assert not found.hopeless
    assert forecast([30, 30], gains([0, 1], threshold=0.7, low=0, high=1), cap=400, seed=7).hopeless


def test_a_forecast_turns_with_its_verdicts() -> None:
    up = forecast([10, 30], gains([0, 1], threshold=0.5, low=0, high=1), cap=400, seed=1)
    down = forecast([30, 10], gains([0, 1], threshold=0.5, low=0, high=1), cap=400, seed=1)
    assert down.decline == pytest.approx(up.promote, abs=0.1)


def test_a_forecast_of_nothing_is_an_error() -> None:
    categories = gains([0, 1], threshold=0.5, low=0, high=1)
    with pytest.raises(ValueError, match="leave a review"):
        forecast([200, 200], categories, cap=400, seed=1)
    with pytest.raises(ValueError, match="needs a count"):
        forecast([1, 2, 3], categories, cap=400, seed=1)


def first_decision(verdicts: Sequence[float], threshold: float) -> tuple[int | None, int | None]:
    """The reviews after which it is promoted and declined, looked at after every one."""
    promoted = declined = None
    up = down = START
    for place, verdict in enumerate(verdicts, 1):
        up = add_gain(up, verdict - threshold, risk=threshold)
        down = add_gain(down, threshold - verdict, risk=1 - threshold)
        if promoted is None and log_evidence(up) >= math.log(DECISIVE):
            promoted = place
        if declined is None and log_evidence(down) >= math.log(DECISIVE):
            declined = place
        if promoted or declined:
            break
    return promoted, declined


@pytest.mark.slow
@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.9])
def test_a_null_adapter_looked_at_after_every_review_is_seldom_promoted(threshold: float) -> None:
    generator, runs = random.Random(13), 400
    promoted = sum(
        first_decision([float(generator.random() < threshold) for _ in range(200)], threshold)[0] is not None
        for _ in range(runs)
    )
    assert promoted / runs <= 0.05


@pytest.mark.slow
def test_forecasts_come_true() -> None:
    """The real stop lies in the shown range of 10% to 90% in at least 80% of runs, over truths of every kind."""
    generator, inside, runs = random.Random(29), 0, 0
    categories = gains([0, 1], threshold=0.6, low=0, high=1)
    for seed in range(300):
        truth = generator.random()
        verdicts = [float(generator.random() < truth) for _ in range(400)]
        promoted, declined = first_decision(verdicts, 0.6)
        stop = promoted or declined
        done = 15
        if stop is not None and stop <= done:
            continue
        passed = int(sum(verdicts[:done]))
        found = forecast([done - passed, passed], categories, cap=400, seed=seed)
        runs += 1
        more = math.inf if stop is None else stop - done
        inside += (found.early or math.inf) <= more <= (found.late or math.inf)
    assert runs > 50
    assert inside / runs >= 0.8
