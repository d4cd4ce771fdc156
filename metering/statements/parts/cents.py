"""Amounts to the cent that sum to their total."""

from collections.abc import Sequence

MICROS_IN_A_CENT = 10_000


def shown_cents(micros: Sequence[int]) -> list[int]:
    """Whole cents that sum to the rounded sum of the amounts; each is less than a cent from its own.

    What rounding down leaves goes to the largest remainders, one each; among equals, to the first. Half a cent of the
    sum is rounded up.
    """
    cents = [amount // MICROS_IN_A_CENT for amount in micros]
    total = (sum(micros) + MICROS_IN_A_CENT // 2) // MICROS_IN_A_CENT
    by_remainder = sorted(range(len(micros)), key=lambda place: (-(micros[place] % MICROS_IN_A_CENT), place))
    for place in by_remainder[: total - sum(cents)]:
        cents[place] += 1
    return cents
