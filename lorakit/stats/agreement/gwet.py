"""Gwet's AC1 and AC2."""

from collections.abc import Sequence
from statistics import fmean

from lorakit.stats.agreement.coefficient import Agreement, missing, with_interval
from lorakit.stats.agreement.ratings import Rating, Ratings, agreement_within, counted, for_each, raw_agreement
from lorakit.stats.agreement.weights import weights_of


def gwet_ac(ratings: Ratings, scale: Sequence[Rating], *, weights: str = "identity") -> Agreement:
    """AC1 (Gwet 2008), or AC2 (2014) unless `weights` are "identity", of any number of raters.

    Chance counts only where ratings are hard to tell apart, so skewed ratings do not push it to 0 as they do kappa and
    alpha. It depends on how many values the scale has, used or not. All ratings equal is 1. Standard error as in Gwet's
    handbook. Missing where no item has two ratings. Raises ValueError as `counted` and `weights_of` do.
    """
    name = "Gwet's AC1" if weights == "identity" else "Gwet's AC2"
    matrix, table = weights_of(weights, scale), counted(ratings, scale)
    n, size = len(table), range(len(scale))
    raw = raw_agreement(ratings)
    if raw is None:
        return missing(name, weights, None, n)
    agreed = for_each(lambda row: agreement_within(row, matrix), table)
    paired = [share for share in agreed if share is not None]
    observed = fmean(paired)
    parts = for_each(lambda row: [count / sum(row) for count in row], table)
    used = [fmean([part[place] for part in parts]) for place in size]
    factor = sum(map(sum, matrix)) / (len(scale) * (len(scale) - 1))
    expected = factor * sum(share * (1 - share) for share in used)
    value = (observed - expected) / (1 - expected)

    def share_of(row: tuple[int, ...]) -> float:
        share = agreement_within(row, matrix)
        own = n / len(paired) * (share - expected) / (1 - expected) if share is not None else 0.0
        chance = factor * sum(row[place] * (1 - used[place]) for place in size) / sum(row)
        return own - 2 * (1 - value) * (chance - expected) / (1 - expected)

    shares = for_each(share_of, table)
    return with_interval(name, weights, value=value, raw=raw, observed=observed, expected=expected, shares=shares)
