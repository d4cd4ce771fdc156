"""Decisions on rows held out, with control by a judge whose map comes from earlier labels."""

from functools import partial
from math import inf

import numpy as np
import numpy.typing as npt

from bench.decisions_evidence import count_differences, first_looks
from bench.decisions_rates import Array, extreme, rate
from lorakit.stats.gains import Gains, JudgedRows, gains_with_judge
from lorakit.stats.isotonic import isotonic_map

Places = npt.NDArray[np.int_]

RUNS = 4000
ROWS = 400
SHARE = 0.7
EARLIER = 100
WEIGHT = 0.5
CORRELATIONS = (0.0, 0.3, 0.5, 0.8, 0.95)
SCORES = np.arange(5)


def simulate_judges(random: np.random.Generator) -> dict[str, float]:
    """Of each judge: false promotions where exactly 70% of 400 rows pass, and reviews that a good adapter takes.

    Correlations are between what row and judge are made of; `measured` is that of verdicts with mapped scores.
    """
    figures: dict[str, float] = {}
    different = 0
    for correlation in CORRELATIONS:
        name = f"judge_{round(100 * correlation)}"
        maps = np.stack([earlier_map(random, correlation) for _ in range(RUNS)])
        first, judged, passed = decide(random, correlation, maps, passing=SHARE)
        different += count_differences(first, partial(one_course, passed, judged))
        better, _, _ = decide(random, correlation, maps, passing=SHARE + 0.1)
        figures |= {f"{name}_measured": float(np.corrcoef(judged.ravel(), passed.ravel())[0, 1])}
        figures |= rate(f"{name}_promoted", first < inf)
        figures[f"{name}_median_reviews_at_plus_10"] = float(np.median(better))
    # A judge that likes what experts reject, taken at its word.
    wrong = np.broadcast_to(SCORES / 4, (RUNS, 5))
    first, judged, passed = decide(random, -0.6, wrong, passing=SHARE)
    different += count_differences(first, partial(one_course, passed, judged))
    figures |= rate("judge_wrong_promoted", first < inf)
    return {
        **figures,
        **extreme("judge_worst_promoted", figures, highest=True),
        "judge_differences_from_lorakit": float(different),
    }


def scored(random: np.random.Generator, latent: Array, correlation: float) -> Places:
    """A judge's score of 0 to 4 for each row."""
    noise = random.standard_normal(latent.shape)
    found: Places = np.searchsorted([-1.2, -0.6, 0.0, 0.8], correlation * latent + (1 - correlation**2) ** 0.5 * noise)
    return found


def earlier_map(random: np.random.Generator, correlation: float) -> Array:
    """What each score means, by 100 labels of other rows."""
    latent = random.standard_normal(EARLIER)
    scores = scored(random, latent, correlation)
    # 0.524 leaves 70% above it.
    found = isotonic_map(scores.tolist(), (latent > -0.524).astype(float).tolist())
    return np.array([found(score) for score in SCORES.tolist()])


def decide(
    random: np.random.Generator, correlation: float, maps: Array, *, passing: float
) -> tuple[Array, Array, Array]:
    """When each course is promoted, the judge's mapped scores, and the verdicts; rows are in random order."""
    latent = random.standard_normal((RUNS, ROWS))
    limits = np.sort(latent, axis=1)[:, round((1 - passing) * ROWS)]
    passed = (latent >= limits[:, None]).astype(float)
    judged = np.take_along_axis(maps, scored(random, latent, correlation), axis=1)
    means, highest = judged.mean(axis=1), judged.max(axis=1)
    values = passed - SHARE - WEIGHT * (judged - means[:, None])
    return first_looks(values, SHARE + WEIGHT * (highest - means)), judged, passed


def one_course(passed: Array, judged: Array, place: int) -> Gains:
    """The same by `lorakit.stats`, of one course."""
    verdicts, scores = passed[place].tolist(), judged[place].tolist()
    rows = JudgedRows(float(judged[place].mean()), min(scores), max(scores))
    return gains_with_judge(verdicts, scores, rows=rows, weight=WEIGHT, threshold=SHARE, low=0, high=1)
