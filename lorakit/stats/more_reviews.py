""" "About 38 more reviews": how many a decision by evidence will still take."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log

import numpy as np
import numpy.typing as npt

from lorakit.stats.evidence import DECISIVE, FRACTIONS, log_evidence
from lorakit.stats.gains import Gains

DRAWS = 200
CHECKPOINTS = 40
HOPELESS = 0.05

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Forecast:
    """Reviews still to come until a decision: median and the range of the middle 80%, None where the cap comes first.

    `promote`, `decline` and `neither` are the probabilities of how it ends, and add up to 1. Where the truth lies
    exactly at the threshold it is optimistic, a quarter being decided by the median: then say that it may not decide.
    """

    early: int | None
    median: int | None
    late: int | None
    promote: float
    decline: float
    neither: float

    @property
    def hopeless(self) -> bool:
        """Whether stopping is worth an offer: it costs no validity. Ask from 30 reviews on, every ten."""
        return self.promote < HOPELESS


def forecast(
    counts: Sequence[int],
    categories: Gains,
    *,
    cap: int,
    seed: int,
    prior: Sequence[float] | None = None,
    enough: float = DECISIVE,
) -> Forecast:
    """`counts` of the reviews so far by category of verdict, with the gain of each in `categories`, up to `cap` in all.

    Draws 200 possible truths by Dirichlet's distribution (one pseudo-review of every category, or `prior`), and for
    each one course of further reviews, looked at 40 times; evidence of `enough` decides. Takes about 4 ms. The same
    `seed` gives the same forecast with the same version of NumPy. Raises ValueError for counts that do not fit the
    categories or leave no reviews.
    """
    done = sum(counts)
    left = cap - done
    if len(counts) != len(categories.values) or left < 1:
        raise ValueError("each category needs a count, and the cap must leave a review")
    random = np.random.default_rng(seed)
    looks = np.unique(np.ceil(np.geomspace(1, left, CHECKPOINTS)).astype(int))
    steps = np.diff(looks, prepend=0)
    weights = np.asarray(prior if prior is not None else [1.0] * len(counts))
    truths = random.dirichlet(np.asarray(counts) + weights, size=DRAWS)
    further = np.stack([random.multinomial(step, truths) for step in steps], axis=1)
    totals = np.asarray(counts) + np.cumsum(further, axis=1)
    promoted = _first(totals, _logs(categories.values, categories.risk_up), looks, enough)
    declined = _first(totals, _logs([-value for value in categories.values], categories.risk_down), looks, enough)
    stops = np.minimum(promoted, declined)
    early, median, late = (
        None if np.isinf(stop) else int(stop) for stop in np.quantile(stops, [0.1, 0.5, 0.9], method="higher")
    )
    if early is not None:
        # It was decided at some review since the look before.
        early = int(looks[looks < early].max(initial=0)) + 1
    promote, decline = float(np.mean(promoted < declined)), float(np.mean(declined < promoted))
    return Forecast(early, median, late, promote, decline, float(np.mean(np.isinf(stops))))


def _logs(gains: Sequence[float], risk: float) -> Array:
    """Category by fraction: what one more verdict of it adds to the logarithm of each bet's wealth."""
    logs: Array = np.log1p(np.outer(np.asarray(gains) / risk, FRACTIONS))
    return logs


def _first(totals: Array, logs: Array, looks: npt.NDArray[np.int_], suffices: float) -> Array:
    """For each draw the look at which the evidence first suffices, infinity for none."""
    wealth = totals @ logs
    most = wealth.max(axis=-1)
    enough = most + np.log(np.exp(wealth - most[..., None]).mean(axis=-1)) >= log(suffices)
    first: Array = np.where(enough.any(axis=1), looks[enough.argmax(axis=1)], inf)
    return first


def roughly(counts: Sequence[int], categories: Gains) -> float:
    """Reviews still to come if they go on as so far, in one line of arithmetic; infinity if they would never decide.

    About half of real decisions come earlier. Raises ValueError without reviews.
    """
    if not sum(counts):
        raise ValueError("without reviews nothing can be foreseen")
    up = _totals(counts, categories.values, categories.risk_up)
    down = _totals(counts, [-value for value in categories.values], categories.risk_down)
    leading = up if log_evidence(up) >= log_evidence(down) else down
    pace = max(leading) / sum(counts)
    return max(0.0, (log(DECISIVE) - log_evidence(leading)) / pace) if pace > 0 else inf


def _totals(counts: Sequence[int], gains: Sequence[float], risk: float) -> list[float]:
    return [float(total) for total in np.asarray(counts) @ _logs(gains, risk)]
