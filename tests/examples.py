"""How many examples a property test tries."""

from hypothesis import settings


def examples(count: int) -> int:
    """`count`, or the profile's share of it: `fast`, the profile of `make test-fast`, tries a tenth."""
    return max(1, count * settings().max_examples // 100)
