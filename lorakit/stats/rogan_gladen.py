"""The share that would pass by experts, from a judge whose two error rates were measured on rows they labelled."""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from lorakit.stats.interval import Interval


@dataclass(frozen=True)
class Corrected:
    """A corrected share, 0 to 1. The interval is made from smoothed rates, so it is not centred on the share."""

    share: float
    interval: Interval


def rogan_gladen(
    passed: float, rows: int, *, specificity: float, failing: int, sensitivity: float, passing: int
) -> Corrected | None:
    """The judge passed the share `passed` of `rows`; by experts' labels it failed `specificity` of `failing` rows that
    fail, and passed `sensitivity` of `passing` rows that pass.

    Rogan and Gladen (1978) with the interval of arXiv 2511.21140, of 95%, which counts the noise of both sets of rows.
    None where the judge does no better than chance: its passes then say nothing. Labelled rows must be drawn like the
    others within each class. For labels of random rows `prediction_powered_mean` is narrower: this is for sets balanced
    by class. Raises ValueError for a rate outside 0 to 1 or without rows.
    """
    rates = (passed, specificity, sensitivity)
    if min(rates) < 0 or max(rates) > 1 or min(rows, failing, passing) < 1:
        raise ValueError("rates lie between 0 and 1 and are of at least one row")
    if specificity + sensitivity <= 1:
        return None
    share = (passed + specificity - 1) / (specificity + sensitivity - 1)
    z = NormalDist().inv_cdf(0.975)
    smooth = (passed * rows + z * z / 2) / (rows + z * z)
    true_fails = (specificity * failing + 1) / (failing + 2)
    true_passes = (sensitivity * passing + 1) / (passing + 2)
    slope = true_fails + true_passes - 1
    if slope <= 0:
        return None
    centre = (smooth + true_fails - 1) / slope
    fails_noise = true_fails * (1 - true_fails) / (failing + 2)
    passes_noise = true_passes * (1 - true_passes) / (passing + 2)
    shift = 2 * z * z * (centre * passes_noise - (1 - centre) * fails_noise)
    noise = smooth * (1 - smooth) / (rows + z * z) + (1 - centre) ** 2 * fails_noise + centre**2 * passes_noise
    half = z * sqrt(noise) / slope
    return Corrected(_clipped(share), Interval(_clipped(centre + shift - half), _clipped(centre + shift + half)))


def label_split(labels: int, *, passed: float, specificity: float, sensitivity: float, pilot: int) -> tuple[int, int]:
    """How many failing and passing rows to label, so that the interval of `rogan_gladen` is narrowest.

    `passed` is the judge's share; its rates are guesses from `pilot` labels of either class, which both sides get at
    least. Raises ValueError where these do not fit into `labels`, or nothing passed.
    """
    if not 0 < passed <= 1 or pilot < 0 or 2 * pilot > labels:
        raise ValueError("some rows must pass, and both pilots fit into the labels")
    noisier = (pilot * (1 - specificity) + 1) / (pilot * (1 - sensitivity) + 1)
    passing = round(labels / (1 + (1 / passed - 1) * sqrt(noisier)))
    passing = min(max(passing, pilot), labels - pilot)
    return labels - passing, passing


def _clipped(share: float) -> float:
    return min(max(share, 0.0), 1.0)
