"""How much two different ratings of an item agree: matrices over the scale, 1 for equal ones and 0 for the farthest."""

from collections.abc import Callable, Sequence

from lorakit.stats.agreement.ratings import Rating

Matrix = list[list[float]]


def identity(scale: Sequence[Rating]) -> Matrix:
    """Different ratings do not agree at all."""
    return [[float(row == column) for column in range(len(scale))] for row in range(len(scale))]


def linear(scale: Sequence[Rating]) -> Matrix:
    """Less by distance on a scale of numbers."""
    return from_distances([[abs(row - column) for column in numbers(scale)] for row in numbers(scale)])


def quadratic(scale: Sequence[Rating]) -> Matrix:
    """Less by squared distance on a scale of numbers."""
    return from_distances([[(row - column) ** 2 for column in numbers(scale)] for row in numbers(scale)])


def ordinal(scale: Sequence[Rating]) -> Matrix:
    """Gwet's: less by the number of pairs of values between the two. Needs an order only, and is the same for any data.

    Krippendorff's ordinal metric is another one (`alpha.py`).
    """
    places = range(len(scale))
    return from_distances([[abs(row - column) * (abs(row - column) + 1) / 2 for column in places] for row in places])


WEIGHTS: dict[str, Callable[[Sequence[Rating]], Matrix]] = {
    "identity": identity,
    "linear": linear,
    "quadratic": quadratic,
    "ordinal": ordinal,
}
"""By name, for kappa and AC2."""


def weights_of(name: str, scale: Sequence[Rating]) -> Matrix:
    """Raises ValueError for an unknown name, and where the weights need numbers and the scale has none."""
    if name not in WEIGHTS:
        raise ValueError(f"unknown weights: {name}")
    return WEIGHTS[name](scale)


def from_distances(distances: Matrix) -> Matrix:
    farthest = max(max(row) for row in distances)
    return [[1 - distance / farthest if farthest else 1.0 for distance in row] for row in distances]


def numbers(scale: Sequence[Rating]) -> list[float]:
    if any(isinstance(value, str) for value in scale):
        raise ValueError("these weights need a scale of numbers")
    return [float(value) for value in scale]
