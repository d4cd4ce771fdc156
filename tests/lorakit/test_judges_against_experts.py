"""What a judge says against what experts say: figures, and shares and means corrected by their labels.

Values of Rogan and Gladen's method are those of arXiv 2511.21140's own code, of PPI++ those of `ppi-python`.
"""

import random
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lorakit.stats import ends_interval
from lorakit.stats.against_experts import calibration, confusion, judge_bias
from lorakit.stats.prediction_powered import ppi_plus_plus, prediction_powered_mean
from lorakit.stats.rogan_gladen import label_split, rogan_gladen

EXACT = 1e-6
GRADES = [1, 2, 3, 4, 5]
SHARE = st.floats(0, 1)
ROWS = st.integers(1, 500)


def test_the_confusion_matrix() -> None:
    found = confusion([1, 1, 2, 3, 3, 3], [1, 2, 2, 3, 1, 3], [1, 2, 3])
    assert found.counts == ((1, 1, 0), (0, 1, 0), (1, 0, 2))
    assert found.accuracy.value == pytest.approx(4 / 6)
    passed, failed = found.sensitivity(2), found.specificity(2)
    assert (passed.count, passed.trials, failed.count, failed.trials) == (2, 3, 3, 3)
    assert failed.interval is not None
    assert failed.interval.low == pytest.approx(0.292402, abs=EXACT)


def test_a_rate_of_nothing_is_none() -> None:
    found = confusion([3, 3], [3, 1], [1, 2, 3]).specificity(1)
    assert (found.value, found.interval) == (None, None)


def test_labels_that_no_one_could_give_are_errors() -> None:
    with pytest.raises(ValueError, match="not on the scale"):
        confusion(["good"], ["great"], ["bad", "good"])
    with pytest.raises(ValueError, match="longer"):
        confusion([1], [1, 2], [1, 2])


def test_a_lenient_judge_has_a_bias_above_0() -> None:
    experts, judged = [3, 4, 2, 5, 4, 3], [4, 5, 2, 5, 4, 4]
    bias = judge_bias(experts, judged, low=1, high=5)
    assert bias.mean == 0.5
    assert bias == ends_interval([1, 1, 0, 0, 0, 1], low=-4, high=4)
    turned = judge_bias(judged, experts, low=1, high=5)
    assert (turned.mean, turned.centre, turned.error) == pytest.approx((-bias.mean, -bias.centre, bias.error))


def test_bias_over_clusters_is_wider_than_over_rows_that_repeat() -> None:
    clusters = [f"prompt {place}" for place in range(12)] * 4
    experts = [3.0] * 48
    judged = [3.0 + (place % 12 < 4) for place in range(48)]
    by_row = judge_bias(experts, judged, low=1, high=5)
    by_cluster = judge_bias(experts, judged, low=1, high=5, clusters=clusters)
    assert by_cluster.mean == pytest.approx(by_row.mean)
    assert by_cluster.degrees == 11
    assert by_cluster.error > 1.5 * by_row.error
    with pytest.raises(ValueError, match="off the scale"):
        judge_bias([1, 1], [6, 1], low=1, high=5, clusters=["a", "b"])


def test_the_calibration_curve() -> None:
    low, middle, high = calibration([1, 2, 4, 5, 5, 3], [2, 2, 5, 5, 5, 4], low=1, high=5)
    assert [(level.score, level.rows) for level in (low, middle, high)] == [(2, 2), (4, 1), (5, 3)]
    assert (low.mean, middle.mean, high.mean) == pytest.approx((1.5, 3, 14 / 3))
    assert middle.estimate is None
    assert high.estimate == ends_interval([4, 5, 5], low=1, high=5)


@pytest.mark.parametrize(
    ("passed", "rows", "specificity", "sensitivity", "labelled", "share", "low", "high"),
    [
        (0.4, 1000, 0.7, 0.9, 200, 0.1666667, 0.0563507, 0.2627330),
        (0.8, 500, 0.85, 0.92, 50, 0.8441558, 0.7588390, 0.9706702),
    ],
)
def test_rogan_and_gladen(
    passed: float,
    rows: int,
    specificity: float,
    sensitivity: float,
    labelled: int,
    share: float,
    low: float,
    high: float,
) -> None:
    found = rogan_gladen(
        passed, rows, specificity=specificity, failing=labelled, sensitivity=sensitivity, passing=labelled
    )
    assert found is not None
    assert (found.share, found.interval.low, found.interval.high) == pytest.approx((share, low, high), abs=EXACT)


def test_a_judge_no_better_than_chance_corrects_nothing() -> None:
    assert rogan_gladen(0.4, 100, specificity=0.5, failing=50, sensitivity=0.5, passing=50) is None
    assert rogan_gladen(0.4, 100, specificity=0.999, failing=1, sensitivity=0.01, passing=500) is None
    with pytest.raises(ValueError, match="between 0 and 1"):
        rogan_gladen(1.4, 100, specificity=0.5, failing=50, sensitivity=0.5, passing=50)


@given(SHARE, ROWS, SHARE, ROWS, SHARE, ROWS)
@settings(deadline=None)
def test_a_corrected_share_is_a_share(
    passed: float, rows: int, specificity: float, failing: int, sensitivity: float, passing: int
) -> None:
    found = rogan_gladen(
        passed, rows, specificity=specificity, failing=failing, sensitivity=sensitivity, passing=passing
    )
    if found:
        assert 0 <= found.share <= 1
        assert 0 <= found.interval.low <= found.interval.high <= 1


def test_how_labels_are_split() -> None:
    assert label_split(200, passed=0.4, specificity=0.7, sensitivity=0.9, pilot=10) == (136, 64)
    assert label_split(200, passed=0.5, specificity=0.8, sensitivity=0.8, pilot=10) == (100, 100)
    assert label_split(40, passed=0.01, specificity=0.5, sensitivity=1, pilot=10) == (30, 10)
    with pytest.raises(ValueError, match="pilots fit"):
        label_split(10, passed=0.4, specificity=0.7, sensitivity=0.9, pilot=6)


LABELS = [3, 4, 2, 5, 4, 3, 1, 5, 4, 2]
JUDGED = [3, 4, 3, 5, 4, 4, 2, 4, 5, 2]
OTHERS = [4, 4, 3, 5, 2, 3, 4, 5, 1, 3, 4, 2, 5, 4, 3, 3, 4, 5, 2, 4]


@pytest.mark.parametrize(
    ("weight", "chosen", "mean", "low", "high"),
    [
        (None, 0.6105263, 3.2389474, 2.6631591, 3.8147357),
        (1, 1, 3.2, 2.5694518, 3.8305482),
        (0, 0, 3.3, 2.5135683, 4.0864317),
    ],
)
def test_ppi_plus_plus(weight: float | None, chosen: float, mean: float, low: float, high: float) -> None:
    found = ppi_plus_plus(LABELS, JUDGED, OTHERS, weight=weight)
    assert (found.weight, found.mean, found.interval.low, found.interval.high) == pytest.approx(
        (chosen, mean, low, high), abs=1e-7
    )
    assert found.few


def test_few_labels_get_a_wider_interval_than_the_normal_one() -> None:
    normal = ppi_plus_plus(LABELS, JUDGED, OTHERS).interval
    found = prediction_powered_mean(LABELS, JUDGED, OTHERS, low=1, high=5)
    assert found.few
    assert found.interval.high - found.interval.low > normal.high - normal.low
    assert 0 < found.saved < 1


def test_what_a_judge_saves_is_measured() -> None:
    generator = random.Random(8)
    labels = [float(generator.randint(1, 5)) for _ in range(40)]
    others = [float(generator.randint(1, 5)) for _ in range(4000)]
    perfect = prediction_powered_mean(labels, labels, others, low=1, high=5)
    assert perfect.saved > 0.6
    useless = prediction_powered_mean(labels, [3.0] * 40, [3.0] * 4000, low=1, high=5)
    assert useless.weight == 0
    assert useless.saved == pytest.approx(0, abs=0.01)
    assert useless.mean == pytest.approx(fmean(labels))


def test_a_judge_that_knows_nothing_is_said_to_save_next_to_nothing() -> None:
    """Its weight comes from the very labels that it is tried on, which would make it look useful."""
    generator, claims = random.Random(9), []
    for _ in range(200):
        labels, judged = ([float(generator.randint(1, 5)) for _ in range(20)] for _ in range(2))
        others = [float(generator.randint(1, 5)) for _ in range(200)]
        claims.append(prediction_powered_mean(labels, judged, others, low=1, high=5).saved)
    assert fmean(claims) < 0.015


def test_one_row_that_the_judge_scored_otherwise_saves_nothing() -> None:
    found = prediction_powered_mean([5.0] * 19 + [1], [5.0] * 19 + [1], [5.0, 4, 5, 1], low=1, high=5)
    assert found.weight > 0
    assert found.saved == 0


def test_labels_that_are_too_few_are_an_error() -> None:
    with pytest.raises(ValueError, match="three labels"):
        prediction_powered_mean([1, 2], [1, 2], OTHERS, low=1, high=5)
    with pytest.raises(ValueError, match="without labels"):
        prediction_powered_mean(LABELS, JUDGED, [3], low=1, high=5)
    with pytest.raises(ValueError, match="two labels"):
        ppi_plus_plus([1], [1], OTHERS)


@given(st.lists(st.tuples(st.sampled_from(GRADES), st.sampled_from(GRADES)), min_size=3, max_size=40))
@settings(deadline=None)
def test_a_powered_mean_turns_with_its_scale(pairs: list[tuple[int, int]]) -> None:
    labels, judged = [label for label, _ in pairs], [score for _, score in pairs]
    found = prediction_powered_mean(labels, judged, OTHERS, low=1, high=5)
    turned = prediction_powered_mean(
        [6 - label for label in labels],
        [6 - score for score in judged],
        [6 - score for score in OTHERS],
        low=1,
        high=5,
    )
    assert turned.mean == pytest.approx(6 - found.mean)
    assert (turned.interval.low, turned.interval.high) == pytest.approx(
        (6 - found.interval.high, 6 - found.interval.low)
    )
    assert 1 <= found.interval.low <= found.interval.high <= 5
    assert 0 <= found.saved < 1


@pytest.mark.slow
def test_means_of_twenty_skewed_labels_hold_where_the_normal_interval_does_not() -> None:
    generator, runs = random.Random(17), 500
    truth = 0.85 * 5 + 0.05 * (1 + 3 + 4)

    def grade() -> tuple[float, float]:
        label = generator.choices([5.0, 4, 3, 1], [0.85, 0.05, 0.05, 0.05])[0]
        return label, label if generator.random() < 0.6 else generator.choice([5.0, 4, 3])

    held = normal = 0
    for _ in range(runs):
        pairs, others = [grade() for _ in range(20)], [grade()[1] for _ in range(500)]
        labels, judged = [label for label, _ in pairs], [score for _, score in pairs]
        interval = prediction_powered_mean(labels, judged, others, low=1, high=5).interval
        held += interval.low <= truth <= interval.high
        interval = ppi_plus_plus(labels, judged, others).interval
        normal += interval.low <= truth <= interval.high
    assert held / runs >= 0.94
    assert normal / runs < 0.9
