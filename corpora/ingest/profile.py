"""Counts what the rows look like while they pass by, in memory that does not grow with their number."""

from array import array
from collections import Counter
from itertools import pairwise

from corpora.ingest.contracts import Bin, Count, LengthProfile, Profile, Row, Split

BINS = 24
MAX_VALUES = 1000
OTHER = "(other)"


class Lengths:
    """How many rows have each length; exact, for a length is bounded by a row's bytes."""

    def __init__(self, limit: int) -> None:
        self._rows = array("L", bytes(array("L").itemsize * (limit + 1)))
        self._count = 0
        self._total = 0
        self._minimum = limit
        self._maximum = 0

    def add(self, length: int) -> None:
        self._rows[length] += 1
        self._count += 1
        self._total += length
        self._minimum = min(self._minimum, length)
        self._maximum = max(self._maximum, length)

    def summary(self) -> LengthProfile:
        """Of one row at least."""
        p50, p90, p99 = self._quantiles(0.5, 0.9, 0.99)
        return LengthProfile(
            mean=round(self._total / self._count, 1),
            minimum=self._minimum,
            p50=p50,
            p90=p90,
            p99=p99,
            maximum=self._maximum,
            bins=self._bins(p99),
        )

    def _quantiles(self, *shares: float) -> list[int]:
        """The smallest length that at least such a share of the rows do not exceed."""
        found: list[int] = []
        seen = 0
        for length in range(self._minimum, self._maximum + 1):
            seen += self._rows[length]
            while len(found) < len(shares) and seen >= shares[len(found)] * self._count:
                found.append(length)
        return found

    def _bins(self, p99: int) -> tuple[Bin, ...]:
        """Equally wide up to the 99th percentile; the last bin takes the long tail."""
        width = max(1, -(-(p99 + 1 - self._minimum) // BINS))
        edges = [*range(self._minimum, p99 + 1, width), p99 + 1]
        bins = [Bin(low=low, high=high, rows=sum(self._rows[low:high])) for low, high in pairwise(edges)]
        if self._maximum > p99:
            tail = sum(self._rows[p99 + 1 : self._maximum + 1])
            bins.append(Bin(low=p99 + 1, high=self._maximum + 1, rows=tail))
        return tuple(bins)


class Tally:
    """Counts by value and split; values beyond the first `MAX_VALUES` count as one."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[Split]] = {}

    def add(self, value: str, split: Split) -> None:
        if value not in self._counts and len(self._counts) >= MAX_VALUES:
            value = OTHER
        self._counts.setdefault(value, Counter())[split] += 1

    def summary(self) -> tuple[Count, ...]:
        ordered = sorted(self._counts.items(), key=lambda item: (-item[1].total(), item[0]))
        return tuple(Count(name=name, train=counts["train"], test=counts["test"]) for name, counts in ordered)


class Profiler:
    """Collects the profile of canonical rows."""

    def __init__(self, *, max_characters: int) -> None:
        self._prompt = Lengths(max_characters)
        self._answer = Lengths(max_characters)
        self._slices = Tally()
        self._labels = Tally()

    def add(self, row: Row, split: Split) -> None:
        *prompt, answer = row.messages
        self._prompt.add(sum(len(message.content) for message in prompt))
        self._answer.add(len(answer.content))
        self._slices.add(row.slice, split)
        if row.label is not None:
            self._labels.add(row.label, split)

    def summary(self) -> Profile:
        return Profile(
            prompt_characters=self._prompt.summary(),
            answer_characters=self._answer.summary(),
            slices=self._slices.summary(),
            labels=self._labels.summary(),
        )
