"""How many tokens the rows of a dataset version have, from the sample taken by its check."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from corpora.models import DatasetVersion

BYTES_PER_TOKEN = 4.0
"""For English text, roughly."""


@dataclass(frozen=True, kw_only=True)
class RowLengths:
    """`mean` tokens a row; `bins` are (low, high, rows) of the sample, without `high`, and empty where none was made.

    `source` says what the figures rest on.
    """

    mean: float
    maximum: int | None
    bins: Sequence[tuple[int, int, int]]
    source: str

    def share_longer_than(self, limit: int) -> float | None:
        """Share of rows with more tokens than that; None where no sample says. Within a bin rows are spread evenly."""
        total = sum(rows for _, _, rows in self.bins)
        if not total or self.maximum is None:
            return None
        if self.maximum <= limit:
            return 0.0
        longer = total - sum(rows * _share_up_to(limit, low, high) for low, high, rows in self.bins)
        return max(longer, 1.0) / total

    def mean_up_to(self, limit: int) -> float:
        """Tokens a row, of those that have no more than `limit`."""
        if self.maximum is None:
            return min(self.mean, limit)
        if not self.share_longer_than(limit):
            return self.mean
        kept = [(rows * _share_up_to(limit, low, high), low, min(high - 1, limit)) for low, high, rows in self.bins]
        total = sum(rows for rows, _, _ in kept)
        return sum(rows * (low + highest) / 2 for rows, low, highest in kept) / total if total else limit


def _share_up_to(limit: int, low: int, high: int) -> float:
    return 1.0 - min(1.0, max(0.0, (high - 1 - limit) / max(high - low, 1)))


def read_lengths(dataset_version: DatasetVersion) -> RowLengths:
    """What the version's profile says, or a guess from the file's size for one without token counts."""
    profile: dict[str, Any] = dataset_version.profile
    tokens = profile.get("tokens")
    if not tokens:
        bytes_per_row = dataset_version.upload_bytes / max(dataset_version.row_count, 1)
        return RowLengths(
            mean=max(1.0, bytes_per_row / BYTES_PER_TOKEN),
            maximum=None,
            bins=(),
            source="estimated from the file size, at four bytes per token",
        )
    return RowLengths(
        mean=tokens["mean"],
        maximum=tokens["maximum"],
        bins=[(item["low"], item["high"], item["rows"]) for item in tokens["bins"]],
        source=f"counted in a sample of {profile['sampled']:,} rows with the tokenizer of {profile['context']}",
    )
