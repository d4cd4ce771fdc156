"""How often an adapter that is exactly at the threshold is promoted, looked at after every review."""

from dataclasses import dataclass
from math import inf

import numpy as np

from bench.decisions_evidence import count_differences, first_looks
from bench.decisions_rates import GRADES, LIKELY, Array, Flags, extreme, rate
from lorakit.stats.gains import Gains, cluster_gains, gains

RUNS = 4000
CAP = 400
FROM = 10
"""The review at which the contrast starts testing."""


@dataclass(frozen=True)
class Verdicts:
    """Courses of verdicts of one kind, a line each."""

    kind: str
    verdicts: Array
    threshold: float
    low: float
    high: float

    @property
    def values(self) -> Array:
        return self.verdicts - self.threshold


def at_the_threshold(random: np.random.Generator) -> list[Verdicts]:
    """Courses of every kind of verdict whose mean is the threshold."""
    shape = (RUNS, CAP)
    passes = [
        Verdicts(f"passes_at_{round(100 * share)}", (random.random(shape) < share).astype(float), share, 0, 1)
        for share in (0.5, 0.7, 0.9)
    ]
    # A severe loss in every eight rows outweighs many small wins.
    severe = random.choice([-3.0, 0.0, 1.0], size=shape, p=[0.12, 0.52, 0.36])
    return [
        *passes,
        Verdicts("win_tie_loss", random.choice([-1.0, 0.0, 1.0], size=shape, p=[0.3, 0.4, 0.3]), 0, -1, 1),
        Verdicts("grades", random.choice(GRADES, size=shape, p=LIKELY), float(GRADES @ LIKELY), 1, 5),
        Verdicts("grade_differences", paired_grades(random, shape), 0, -4, 4),
        Verdicts("severe_losses", severe, 0, -4, 4),
    ]


def paired_grades(random: np.random.Generator, shape: tuple[int, int], *, effect: float = 0.0) -> Array:
    """Differences of two models' grades of the same rows, which correlate at half; ties are about a third."""
    difficulty = random.standard_normal(shape) * 0.5**0.5
    limits = np.quantile(random.standard_normal(1_000_000), np.cumsum(LIKELY)[:-1])

    def graded(shift: float) -> Array:
        found: Array = GRADES[np.searchsorted(limits, difficulty + random.standard_normal(shape) * 0.5**0.5 + shift)]
        return found

    return graded(effect) - graded(0.0)


def simulate_nulls(random: np.random.Generator) -> dict[str, float]:
    """Rates of promotion by evidence and, as the contrast, by a z-test after every review from the tenth on."""
    by_evidence: dict[str, float] = {}
    by_z: dict[str, float] = {}
    different = 0
    for case in at_the_threshold(random):
        first = first_looks(case.values, case.threshold - case.low)

        def of_course(place: int, case: Verdicts = case) -> Gains:
            return gains(case.verdicts[place].tolist(), threshold=case.threshold, low=case.low, high=case.high)

        different += count_differences(first, of_course)
        by_evidence |= rate(f"null_{case.kind}_promoted", first < inf)
        by_z |= rate(f"null_{case.kind}_z_each_time", tested_each_time(case.values))
    clustered, as_rows, more = simulate_clusters(random)
    return {
        **by_evidence,
        **clustered,
        **by_z,
        **as_rows,
        **extreme("null_worst_promoted", by_evidence | clustered, highest=True),
        "null_differences_from_lorakit": float(different + more),
    }


def tested_each_time(values: Array) -> Flags:
    """Courses in which a one-sided z-test of 5% is ever significant; it knows the standard deviation."""
    counts = np.arange(1, values.shape[1] + 1)
    found: Flags = (np.cumsum(values, axis=1) > 1.645 * values.std() * np.sqrt(counts))[:, FROM - 1 :].any(axis=1)
    return found


def simulate_clusters(random: np.random.Generator) -> tuple[dict[str, float], dict[str, float], int]:
    """Clusters of 1 to 6 rows that pass alike (a correlation of 0.3 within one), at the threshold of 70%.

    One row a cluster; whole clusters; and, as the contrast, every row as if it were independent.
    """
    share, alike = 0.7, 1 / 0.3 - 1
    chances = random.beta(share * alike, (1 - share) * alike, size=(RUNS, CAP))
    sizes = random.integers(1, 7, size=(RUNS, CAP))
    one = Verdicts("one_row_a_cluster", (random.random((RUNS, CAP)) < chances).astype(float), share, 0, 1)
    first = first_looks(one.values, share)
    different = count_differences(
        first, lambda place: gains(one.verdicts[place].tolist(), threshold=share, low=0, high=1)
    )
    # Some 400 rows.
    few = slice(0, 114)
    sums = random.binomial(sizes[:, few], chances[:, few])
    whole = first_looks((sums - share * sizes[:, few]) / 6, share)
    different += count_differences(
        whole,
        lambda place: cluster_gains(
            sums[place].tolist(), sizes[place, few].tolist(), largest=6, threshold=share, low=0, high=1
        ),
    )
    of_rows = np.stack([np.repeat(*pair)[:CAP] for pair in zip(chances, sizes, strict=True)])
    rows = first_looks((random.random((RUNS, CAP)) < of_rows).astype(float) - share, share)
    promoted = rate("null_one_row_a_cluster_promoted", first < inf) | rate("null_whole_clusters_promoted", whole < inf)
    return promoted, rate("null_clusters_as_rows", rows < inf), different
