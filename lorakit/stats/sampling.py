"""Rows for experts, drawn with known probabilities, and the mean of all rows from their labels."""

from collections.abc import Hashable, Mapping, Sequence
from hashlib import sha256
from math import sqrt
from statistics import fmean
from typing import TypeVar

from lorakit.stats.clusters import ratio_interval
from lorakit.stats.interval import Estimate

UNIFORM_SHARE = 0.5
"""What each row gets however well the judge does on rows like it: so no weight is above 2."""

PSEUDO_LABELS = 5

Cell = TypeVar("Cell", bound=Hashable)


def random_keys(rows: Sequence[str], *, seed: str) -> list[float]:
    """A number from 0 to below 1 for each row's ID, the same on every machine: fixes what is drawn, and its order.

    Made of SHA-256. Store the seed before anyone reviews.
    """
    # 53 bits are what a float holds: more could round up to 1.
    return [(int.from_bytes(sha256(f"{seed}:{row}".encode()).digest()[:8]) >> 11) / 2**53 for row in rows]


def cell_errors(errors: Mapping[Cell, Sequence[float]]) -> dict[Cell, float]:
    """Standard deviation of the judge's errors in each cell, such as a score with or without disagreement.

    Root mean square of expert less corrected judge, drawn towards that of all cells by five pseudo-labels, so that few
    labels do not decide. 0 without labels.
    """
    together = [error**2 for cell in errors.values() for error in cell]
    mean = fmean(together) if together else 0.0
    return {
        cell: sqrt((sum(error**2 for error in found) + PSEUDO_LABELS * mean) / (len(found) + PSEUDO_LABELS))
        for cell, found in errors.items()
    }


def probabilities(cells: Sequence[Cell], errors: Mapping[Cell, float], *, labels: int) -> list[float]:
    """Of each row, named by its cell: half uniform, half in proportion to its cell's error; about `labels` in all.

    Store them: `hajek_mean` needs them. A row of a cell without a known error is taken as average. Where many rows are
    drawn, probabilities are cut at 1 and those of other rows raised in turn. Raises ValueError for more labels than
    rows.
    """
    if not 0 < labels <= len(cells):
        raise ValueError("at least one label, and no more than rows, can be drawn")
    known = [errors[cell] for cell in cells if cell in errors]
    average = fmean(known) if known else 0.0
    shares = [
        UNIFORM_SHARE + (1 - UNIFORM_SHARE) * (errors.get(cell, average) / average if average else 1.0)
        for cell in cells
    ]
    return _scaled(shares, labels)


def _scaled(shares: Sequence[float], labels: int) -> list[float]:
    """In proportion to the shares, none above 1, adding up to `labels`."""
    certain: set[int] = set()
    while True:
        rest = sum(share for place, share in enumerate(shares) if place not in certain)
        factor = (labels - len(certain)) / rest if rest else 0.0
        over = {place for place, share in enumerate(shares) if place not in certain and share * factor > 1}
        if not over:
            return [1.0 if place in certain else share * factor for place, share in enumerate(shares)]
        certain |= over


def drawn(keys: Sequence[float], chances: Sequence[float]) -> list[int]:
    """Places of the rows to review, in random order: each is drawn by itself where its key lies below its probability.

    Their number varies, around the sum of the probabilities. Drawn again with the smallest probability for every row,
    the same keys give a part of them that is a uniform sample: the one for decisions and audits.
    """
    chosen = [place for place, (key, chance) in enumerate(zip(keys, chances, strict=True)) if key < chance]
    # A drawn row's key is uniform below its probability, so their ratio favours no row.
    return sorted(chosen, key=lambda place: keys[place] / chances[place])


def horvitz_thompson_mean(values: Sequence[float], chances: Sequence[float], *, rows: int) -> tuple[float, float]:
    """Mean over all `rows` and its standard error, from the drawn ones' values and probabilities.

    Horvitz and Thompson (1952), unbiased for any probabilities; it may lie off the scale, and varies with the number of
    rows drawn. The error is that of independent draws. For what people see use `hajek_mean`. Raises ValueError for a
    probability outside 0 to 1.
    """
    _check(chances)
    mean = sum(value / chance for value, chance in zip(values, chances, strict=True)) / rows
    noise = sum((1 - chance) * (value / chance) ** 2 for value, chance in zip(values, chances, strict=True))
    return mean, sqrt(noise) / rows


def hajek_mean(values: Sequence[float], chances: Sequence[float], *, low: float, high: float) -> Estimate:
    """Mean over all rows: of the drawn ones' values, weighted by 1 over their probabilities (Hájek 1971).

    With two pseudo-rows of mean weight at the ends of the scale, as for clusters: holds the truth in 96% or more of
    samples of 20 to 100. Raises ValueError for fewer than two rows, a value off the scale or a probability outside 0
    to 1.
    """
    _check(chances)
    if any(not low <= value <= high for value in values):
        raise ValueError("a value lies off the scale")
    weights = [1 / chance for chance in chances]
    sums = [value * weight for value, weight in zip(values, weights, strict=True)]
    return ratio_interval(sums, weights, low=low, high=high)


def _check(chances: Sequence[float]) -> None:
    if any(not 0 < chance <= 1 for chance in chances):
        raise ValueError("a probability must lie above 0 and be at most 1")
