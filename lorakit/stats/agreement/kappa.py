"""Cohen's kappa of two raters."""

from collections.abc import Sequence

from lorakit.stats.agreement.coefficient import Agreement, missing, with_interval
from lorakit.stats.agreement.ratings import Rating, Ratings, numbered, placed, raw_agreement
from lorakit.stats.agreement.weights import weights_of


def cohen_kappa(ratings: Ratings, scale: Sequence[Rating], *, weights: str = "identity") -> Agreement:
    """Cohen's kappa (1960), weighted (1968) unless `weights` are "identity"; chance is by each rater's own habits.

    Items with one rating do not count. Raises ValueError for other than two raters, a rating off the scale, or unknown
    weights.
    """
    name = "Cohen's kappa" if weights == "identity" else "Cohen's weighted kappa"
    matrix, places = weights_of(weights, scale), numbered(scale)
    if any(len(item) != 2 for item in ratings):
        raise ValueError("Cohen's kappa is of two raters")
    pairs = [
        (placed(first, places), placed(second, places))
        for first, second in ratings
        if first is not None and second is not None
    ]
    n = len(pairs)
    raw = raw_agreement(ratings)
    # Whether one class alone was used is a matter of counts: sums of shares may miss 1 by rounding.
    if len({place for pair in pairs for place in pair}) < 2:
        return missing(name, weights, raw, n)
    size = range(len(scale))
    firsts = [sum(first == place for first, _ in pairs) / n for place in size]
    seconds = [sum(second == place for _, second in pairs) / n for place in size]
    # What each rating of the one agrees, on average, with the ratings of the other.
    of_first = [sum(matrix[place][other] * seconds[other] for other in size) for place in size]
    of_second = [sum(matrix[other][place] * firsts[other] for other in size) for place in size]
    observed = sum(matrix[first][second] for first, second in pairs) / n
    expected = sum(firsts[place] * of_first[place] for place in size)
    value = (observed - expected) / (1 - expected)
    shares = [
        (matrix[first][second] - expected - (1 - value) * (of_first[first] + of_second[second] - 2 * expected))
        / (1 - expected)
        for first, second in pairs
    ]
    return with_interval(name, weights, value=value, raw=raw, observed=observed, expected=expected, shares=shares)
