"""How soon a judge's drift is found, and how often one is seen that is not there."""

import numpy as np

from bench.decisions_rates import Array, rate_in_groups
from lorakit.stats.drift import CLIP, SLACK, alarm_at, cusum, evidence_of_change
from lorakit.stats.evidence import DECISIVE, FRACTIONS

DRIFT = 0.5
WITHIN = 50
BEFORE = 100
"""Reviews without drift before it begins."""

REVIEWS = 400
BASELINES = 100
COURSES = 100
"""For each baseline."""

DEVIATIONS = (0.6, 0.7, 0.75, 0.9)
LABELS = {"known": 20_000, "400_labels": 400}
CHECKED = 5


def simulate_drift(random: np.random.Generator) -> dict[str, float]:
    """Cumulative sums by a baseline as good as known, and by one of 400 labels; then evidence of a known change."""
    figures: dict[str, float] = {}
    different = 0
    for deviation in DEVIATIONS:
        name = f"sd_{round(100 * deviation)}"
        for kind, labels in LABELS.items():
            limits, centres = baselines(random, deviation, labels)
            planted = random.normal(0, deviation, size=(BASELINES, COURSES, BEFORE + WITHIN))
            planted[..., BEFORE:] += DRIFT
            sums = sums_of(planted - centres)
            over = sums > limits
            # A course with a false alarm before the drift says nothing about finding it.
            clean = ~over[..., :BEFORE].any(axis=2)
            found = over[..., BEFORE:].any(axis=2)
            shares = found.sum(axis=1, where=clean) / clean.sum(axis=1)
            false = sums_of(random.normal(0, deviation, size=(BASELINES, COURSES, REVIEWS)) - centres)
            figures |= {
                f"drift_{kind}_{name}_found_percent": 100 * float(shares.mean()),
                f"drift_{kind}_{name}_found_se": 100 * float(shares.std(ddof=1) / BASELINES**0.5),
            }
            figures |= rate_in_groups(f"drift_{kind}_{name}_false", false.max(axis=2) > limits[..., 0])
            centre = float(centres[0, 0, 0])
            for run in range(CHECKED):
                theirs = np.array(cusum(planted[0, run].tolist(), baseline=centre))
                different += bool(abs(theirs - sums[0, run]).max() > 1e-9)
    for deviation in (0.75, 0.9):
        name = f"sd_{round(100 * deviation)}"
        moved = random.normal(DRIFT, deviation, size=(BASELINES, COURSES, WITHIN))
        still = random.normal(0, deviation, size=(BASELINES, COURSES, REVIEWS))
        evidence = of_change(moved)
        figures |= rate_in_groups(f"change_{name}_found", evidence.max(axis=2) >= DECISIVE)
        figures |= rate_in_groups(f"change_{name}_false", of_change(still).max(axis=2) >= DECISIVE)
        different += sum(
            abs(evidence_of_change(moved[0, run].tolist(), baseline=0.0) / evidence[0, run, -1] - 1) > 1e-9
            for run in range(CHECKED)
        )
    return {**figures, "drift_differences_from_lorakit": float(different)}


def baselines(random: np.random.Generator, deviation: float, labels: int) -> tuple[Array, Array]:
    """Alarm and mean of each baseline, shaped to be compared with its courses.

    Of a baseline as good as known only 2,000 residuals are given to `alarm_at`, which draws as many 400 times.
    """
    limits, centres = [], []
    for seed in range(BASELINES):
        residuals = random.normal(0, deviation, size=labels)
        limits.append(alarm_at(residuals[:2000].tolist(), seed=seed))
        centres.append(residuals.mean())
    return np.array(limits)[:, None, None], np.array(centres)[:, None, None]


def sums_of(residuals: Array) -> Array:
    """`cusum` of each course."""
    up = down = np.zeros(residuals.shape[:-1])
    found = np.empty(residuals.shape)
    for review in range(residuals.shape[-1]):
        up = np.maximum(0, up + residuals[..., review] - SLACK)
        down = np.maximum(0, down - residuals[..., review] - SLACK)
        found[..., review] = np.maximum(up, down)
    return found


def of_change(residuals: Array) -> Array:
    """`evidence_of_change` after each review of each course."""
    clipped = np.clip(residuals, -CLIP, CLIP) / CLIP
    total = np.zeros(residuals.shape)
    for fraction in FRACTIONS:
        for sign in (1, -1):
            total += np.exp(np.cumsum(np.log1p(sign * fraction * clipped), axis=-1))
    return total / (2 * len(FRACTIONS))
