"""What a judge of all rows saves in experts' labels, and whether the interval from both holds the truth."""

from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np

from bench.decisions_intervals import GRADED, holds
from bench.decisions_rates import GRADES, Array, extreme, rate
from lorakit.stats.prediction_powered import prediction_powered_mean
from lorakit.stats.quantiles import t_quantile

RUNS = 20_000
OTHERS = 2000
"""Rows that only the judge graded."""

LABELS = (20, 50, 100)
CORRELATIONS = (0.0, 0.3, 0.5, 0.8)
KINDS = ("likely", "mostly_5", "nearly_all_5")
STRICTER = 0.3
"""The judge grades lower than the experts do."""

CHECKED = 5


@dataclass(frozen=True)
class Samples:
    """Labels and the judge's scores of the same rows, a line each, with mean and variance of the other rows' scores."""

    labels: Array
    judged: Array
    others: Array
    truth: float

    @property
    def mean(self) -> Array:
        found: Array = self.others @ GRADES / OTHERS
        return found

    @property
    def variance(self) -> Array:
        found: Array = (self.others @ GRADES**2 / OTHERS - self.mean**2) * OTHERS / (OTHERS - 1)
        return found


def draw(random: np.random.Generator, kind: str, correlation: float, labels: int, *, runs: int = RUNS) -> Samples:
    """`correlation` is that of grades with scores."""
    limits = thresholds(kind)
    latent = latent_correlation(kind, correlation)
    of_rows = random.standard_normal((runs, labels))
    of_judge = latent * of_rows + (1 - latent**2) ** 0.5 * random.standard_normal((runs, labels)) - STRICTER
    of_judge_alone = np.diff([0.0, *(NormalDist().cdf(limit + STRICTER) for limit in limits), 1.0])
    return Samples(
        GRADES[np.searchsorted(limits, of_rows)],
        GRADES[np.searchsorted(limits, of_judge)],
        random.multinomial(OTHERS, of_judge_alone, size=runs).astype(float),
        float(GRADES @ GRADED[kind]),
    )


def thresholds(kind: str) -> list[float]:
    """Where the grades of a standard normal begin."""
    return [NormalDist().inv_cdf(min(share, 1 - 1e-12)) for share in np.cumsum(GRADED[kind])[:-1]]


@cache
def latent_correlation(kind: str, correlation: float) -> float:
    """What row and judge must share for grades and scores to correlate so."""
    random = np.random.default_rng(0)
    rows, noise = random.standard_normal((2, 400_000))
    limits = thresholds(kind)
    grades = np.searchsorted(limits, rows)
    low, high = 0.0, 1.0
    for _ in range(20):
        middle = (low + high) / 2
        scores = np.searchsorted(limits, middle * rows + (1 - middle**2) ** 0.5 * noise - STRICTER)
        if np.corrcoef(grades, scores)[0, 1] < correlation:
            low = middle
        else:
            high = middle
    return low if correlation else 0.0


@dataclass(frozen=True)
class Found:
    """`prediction_powered_mean` of each line."""

    mean: Array
    low: Array
    high: Array
    saved: Array
    width: Array
    alone: Array
    """Width of the interval from labels alone."""


def powered(samples: Samples) -> Found:
    labels, judged = samples.labels, samples.judged
    n = labels.shape[1]
    of_labels, of_judge = labels.mean(axis=1), judged.mean(axis=1)
    centred = judged - of_judge[:, None]
    square = (centred**2).sum(axis=1)
    product = (centred * (labels - of_labels[:, None])).sum(axis=1)
    weight = np.clip(np.where(square > 0, product / np.maximum(square, 1e-12) / (1 + n / OTHERS), 0), 0, 1)
    errors = labels - weight[:, None] * centred
    padded = np.column_stack([errors, np.full(len(errors), 1.0), np.full(len(errors), 5.0)])
    middle = padded.mean(axis=1)
    shift = weight * (samples.mean - of_judge)
    squares = ((padded - middle[:, None]) ** 2).sum(axis=1)
    half = t_quantile(0.975, n - 2) * np.sqrt(squares / (n * (n + 2)) + weight**2 * samples.variance / OTHERS)
    centre = middle + shift * n / (n + 2)
    alone = half_alone(labels)
    return Found(
        of_labels + shift,
        np.maximum(centre - half, 1),
        np.minimum(centre + half, 5),
        saved(samples, weight, centred, errors - of_labels[:, None]),
        half,
        alone,
    )


def saved(samples: Samples, weight: Array, centred: Array, errors: Array) -> Array:
    n = errors.shape[1]
    of_labels = samples.labels.mean(axis=1)
    plain = (samples.labels - of_labels[:, None]) / (1 - 1 / n)
    square = np.maximum((centred**2).sum(axis=1), 1e-12)[:, None]
    left = 1 - 1 / n - np.where(weight[:, None] > 0, centred**2 / square, 0)
    left_out = np.where(left < 1e-9, plain, errors / np.maximum(left, 1e-9))
    both_ends = (1 - of_labels) ** 2 + (5 - of_labels) ** 2
    with_judge = ((left_out**2).sum(axis=1) + both_ends) / (n * (n + 2)) + weight**2 * samples.variance / OTHERS
    alone = ((plain**2).sum(axis=1) + both_ends) / ((n + 1) * (n + 2))
    ratio = (t_quantile(0.975, n - 2) / t_quantile(0.975, n - 1)) ** 2 * with_judge / alone
    found: Array = np.maximum(0, 1 - ratio)
    return found


def half_alone(labels: Array) -> Array:
    n = labels.shape[1]
    padded = np.column_stack([labels, np.full(len(labels), 1.0), np.full(len(labels), 5.0)])
    found: Array = t_quantile(0.975, n - 1) * padded.std(axis=1, ddof=1) / np.sqrt(n + 2)
    return found


def simulate_labels(random: np.random.Generator) -> dict[str, float]:
    """Coverage at every correlation; labels saved at 0.8; and at 0.3 what is claimed beside what is so.

    What is so: 1 less the squared ratio of the intervals' mean widths, with the judge and without; and the same of the
    estimates' squared errors, which includes what it costs to choose the weight.
    """
    coverage: dict[str, float] = {}
    figures: dict[str, float] = {}
    different = 0
    for kind in KINDS:
        for correlation in CORRELATIONS:
            for n in LABELS:
                samples = draw(random, kind, correlation, n)
                found = powered(samples)
                name = f"{kind}_{round(100 * correlation)}_{n}"
                coverage |= rate(f"powered_{name}", holds(found.low, found.high, samples.truth))
                different += count_differences(samples, found)
                if correlation == 0.3:
                    figures |= claimed(f"saved_{name}", samples, found)
    times = {kind: times_fewer(random, kind) for kind in KINDS}
    beyond = {
        f"saved_worst_{kind}": max(value for key, value in figures.items() if key.endswith(kind))
        for kind in ("beyond_width", "beyond_error")
    }
    return {
        **{f"times_fewer_labels_{kind}": value for kind, value in times.items()},
        **extreme("powered_lowest", coverage, highest=False),
        **{key: value for key, value in figures.items() if "_beyond_" not in key},
        **beyond,
        "powered_differences_from_lorakit": float(different),
    }


def claimed(name: str, samples: Samples, found: Found) -> dict[str, float]:
    """In percent; `beyond` is what is claimed in excess of what is so."""
    squared = ((found.mean - samples.truth) ** 2).mean() / ((samples.labels.mean(axis=1) - samples.truth) ** 2).mean()
    claim = 100 * float(found.saved.mean())
    by_width = 100 * (1 - float((found.width.mean() / found.alone.mean()) ** 2))
    by_error = 100 * (1 - float(squared))
    return {
        f"{name}_claimed": claim,
        f"{name}_by_width": by_width,
        f"{name}_by_error": by_error,
        f"{name}_beyond_width": claim - by_width,
        f"{name}_beyond_error": claim - by_error,
    }


def times_fewer(random: np.random.Generator, kind: str, *, labels: int = 100) -> float:
    """How many times as many labels alone give an interval as wide as 100 with a judge of correlation 0.8."""
    wanted = powered(draw(random, kind, 0.8, labels)).width.mean()
    for more in range(labels, 5 * labels, 5):
        values = random.choice(GRADES, size=(RUNS // 10, more), p=GRADED[kind])
        if half_alone(values).mean() <= wanted:
            return more / labels
    return 5.0


def count_differences(samples: Samples, found: Found) -> int:
    """Of the first samples, those for which `lorakit.stats` says another thing."""
    different = 0
    for run in range(CHECKED):
        others = np.repeat(GRADES, samples.others[run].astype(int)).tolist()
        one = prediction_powered_mean(samples.labels[run].tolist(), samples.judged[run].tolist(), others, low=1, high=5)
        theirs = np.array([one.mean, one.interval.low, one.interval.high, one.saved])
        ours = np.array([found.mean[run], found.low[run], found.high[run], found.saved[run]])
        different += bool(abs(theirs - ours).max() > 1e-9)
    return different
