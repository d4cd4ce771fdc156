"""Figures by what is kept with the rows, such as their language or topic."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

MOST_FIGURES = 20
"""Values of a column up to which each has figures of its own. Rows can be filtered by others all the same."""

MOST_LISTED = 200
"""Values of a column that are listed, the most frequent."""


def by_column(
    metadata: Sequence[Mapping[str, str]], figures_of: Callable[[list[int]], dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """{column: {value: {rows, ...}}} of each row's metadata, with what `figures_of` says of the places of the rows.

    A value of a column with more than MOST_FIGURES values has only `rows`.
    """
    found: dict[str, dict[str, Any]] = {}
    for column in dict.fromkeys(name for kept in metadata for name in kept):
        places: dict[str, list[int]] = {}
        for place, kept in enumerate(metadata):
            if column in kept:
                places.setdefault(kept[column], []).append(place)
        counts = Counter({value: len(own) for value, own in places.items()}).most_common(MOST_LISTED)
        # A value that every row has says nothing that the total does not.
        has_figures = len(places) <= MOST_FIGURES and counts[0][1] < len(metadata)
        found[column] = {
            value: {"rows": count} | (figures_of(places[value]) if has_figures else {}) for value, count in counts
        }
    return found
