"""How the cost of an hour is shared. Whole numbers in, whole numbers out: the parts always sum to the whole."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What each one used and bears of the idle rest, in the order of their weights, and what the operator bears."""

    used: list[int]
    idle: list[int]
    operator: int


def largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """Whole parts of a whole number, in proportion to weights, that sum to it.

    What rounding down leaves goes to the largest remainders, one each; among equals, to the first. Raises ValueError
    for negative weights, or without any.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError("weights must not be negative, and one must not be zero")
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-(total * weights[place] % whole), place))
    for place in by_remainder[: total - sum(parts)]:
        parts[place] += 1
    return parts


def split(total: int, *, used: int, capacity: int, weights: Sequence[int], idle_weights: Sequence[int]) -> Parts:
    """Parts of a cost, of which the share `used / capacity` was used.

    What was used is shared by `weights`, the rest by `idle_weights`; where those have nothing, the operator bears it.
    """
    of_use = total * min(used, capacity) // capacity if capacity > 0 and any(weights) else 0
    shares = largest_remainder(of_use, weights) if any(weights) else [0] * len(weights)
    rest = total - of_use
    if any(idle_weights):
        return Parts(used=shares, idle=largest_remainder(rest, idle_weights), operator=0)
    return Parts(used=shares, idle=[0] * len(weights), operator=rest)
