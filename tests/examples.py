"""How many examples a property test tries."""

from hypothesis import settings

OF_MOST = 100
"""Hypothesis's own number, of which profiles take a share or a multiple."""


def examples(count: int) -> int:
    """`count`, or the profile's share of it: `fast`, the profile of `make test-fast`, tries a tenth."""
    return max(1, count * settings().max_examples // OF_MOST)


def is_thorough() -> bool:
    """Whether the profile tries more than usual, and each time others."""
    return settings().max_examples > OF_MOST
