"""A range as buckets of an hour or a day (UTC), a page at a time."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metering.models import Grain
from metering.usage.ranges import starts

WIDTHS = {"1h": Grain.HOUR, "1d": Grain.DAY}
CURSOR = "page_"


@dataclass(frozen=True, kw_only=True)
class Buckets:
    """The buckets of one page, each with its end, and where the next page begins; None on the last."""

    grain: Grain
    edges: Sequence[tuple[dt.datetime, dt.datetime]]
    next_start: dt.datetime | None

    @property
    def start(self) -> dt.datetime:
        return self.edges[0][0]

    @property
    def end(self) -> dt.datetime:
        return self.edges[-1][1]

    def document(self, results: Mapping[dt.datetime, list[dict[str, Any]]]) -> dict[str, Any]:
        """The response, with the results of each bucket by its beginning."""
        return {
            "object": "page",
            "data": [
                {
                    "object": "bucket",
                    "start_time": int(start.timestamp()),
                    "end_time": int(end.timestamp()),
                    "results": results.get(start, []),
                }
                for start, end in self.edges
            ],
            "has_more": self.next_start is not None,
            "next_page": cursor(self.next_start) if self.next_start else None,
        }


def buckets(start: dt.datetime, end: dt.datetime, *, grain: Grain, limit: int) -> Buckets:
    """The first `limit` buckets that a range touches; `end` is exclusive and after `start`."""
    begins = [at for at, _ in zip(starts(grain, start, end), range(limit + 1), strict=False)]
    length = dt.timedelta(hours=1) if grain == Grain.HOUR else dt.timedelta(days=1)
    edges = [(at, at + length) for at in begins[:limit]]
    return Buckets(grain=grain, edges=edges, next_start=begins[limit] if len(begins) > limit else None)


def cursor(start: dt.datetime) -> str:
    """What `next_page` says."""
    return f"{CURSOR}{int(start.timestamp())}"


def start_of(page: str) -> dt.datetime:
    """Where a page begins. Raises ValueError if no response said so."""
    if not page.startswith(CURSOR):
        raise ValueError("not a page of this list")
    try:
        return dt.datetime.fromtimestamp(int(page.removeprefix(CURSOR)), dt.UTC)
    except (OverflowError, OSError) as error:
        raise ValueError("not a page of this list") from error
