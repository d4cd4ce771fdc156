"""What a usage page says about CloudWatch."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from metering.observed.charts import latency_figure, requests_figure
from metering.observed.queries import Comparison, compared
from rest.errors import NotFound


@dataclass(frozen=True, kw_only=True)
class Beside:
    """The ledger beside CloudWatch, as a page shows it."""

    found: Comparison

    @property
    def differs(self) -> int:
        """By how many requests."""
        return abs(self.found.difference or 0)

    @property
    def percent(self) -> str:
        """The same of the ledger's, with as many digits as it takes."""
        part = self.found.difference_percent
        return f"{abs(part):.2g}" if part else ""

    @property
    def requests(self) -> dict[str, Any]:
        return requests_figure(self.found)

    @property
    def latency(self) -> dict[str, Any]:
        return latency_figure(self.found)


def beside_cloudwatch(
    start: dt.datetime, end: dt.datetime, *, model: str = "", version: UUID | None = None
) -> Beside | None:
    """None where CloudWatch watches nothing of it."""
    try:
        found = compared(start, end, model=model, version=version)
    except NotFound:
        return None
    return Beside(found=found) if found.requests or found.observed_requests else None
