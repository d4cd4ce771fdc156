"""What calls of a judge used and cost."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

N = TypeVar("N", int, Decimal)

MILLION = Decimal(1_000_000)


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Calls, tokens, US dollars and milliseconds. None where the server reports no tokens or no price is set."""

    calls: int = 0
    tokens_in: int | None = 0
    tokens_out: int | None = 0
    cost_usd: Decimal | None = Decimal(0)
    latency_ms: float = 0.0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            calls=self.calls + other.calls,
            tokens_in=_sum(self.tokens_in, other.tokens_in),
            tokens_out=_sum(self.tokens_out, other.tokens_out),
            cost_usd=_sum(self.cost_usd, other.cost_usd),
            latency_ms=self.latency_ms + other.latency_ms,
        )


NOTHING = Usage()


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens; None if it is not known. `source` is where a price book has it from."""

    per_million_in: Decimal | None
    per_million_out: Decimal | None
    source: str = ""

    @property
    def is_unset(self) -> bool:
        """Whether neither is known."""
        return self.per_million_in is None and self.per_million_out is None

    def of(self, usage: Usage) -> Usage:
        """The usage with its cost."""
        if None in (self.per_million_in, self.per_million_out, usage.tokens_in, usage.tokens_out):
            return replace(usage, cost_usd=None)
        # mypy does not see through the membership test.
        tokens_in, tokens_out = Decimal(usage.tokens_in or 0), Decimal(usage.tokens_out or 0)
        total = tokens_in * (self.per_million_in or 0) + tokens_out * (self.per_million_out or 0)
        return replace(usage, cost_usd=total / MILLION)


def _sum(one: N | None, other: N | None) -> N | None:
    return None if one is None or other is None else one + other
