"""What intervals and estimates look like."""

from dataclasses import dataclass
from math import sqrt

from lorakit.stats.quantiles import t_quantile, t_tails


@dataclass(frozen=True)
class Interval:
    """A confidence interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Estimate:
    """A mean with what its interval is made of: `centre` and standard error `error` of a t distribution.

    The centre is pulled towards the middle of the scale `low` to `high`, so the interval is not centred on the mean.
    """

    mean: float
    centre: float
    error: float
    degrees: int
    low: float
    high: float

    def interval(self, *, confidence: float = 0.95) -> Interval:
        """Clipped to the scale."""
        half = t_quantile(0.5 + confidence / 2, self.degrees) * self.error
        return Interval(max(self.centre - half, self.low), min(self.centre + half, self.high))

    def p_value(self, value: float = 0.0) -> float:
        """Two-sided, that the mean is `value`: below 0.05 exactly where the 95% interval leaves it out."""
        if not self.error:
            return 1.0 if self.centre == value else 0.0
        return t_tails((self.centre - value) / self.error, self.degrees)


def spread(values: list[float], mean: float) -> float:
    """Root of the sum of squared distances from the mean."""
    return sqrt(sum((value - mean) ** 2 for value in values))
