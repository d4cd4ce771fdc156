"""A line of costs: time at a price per hour, calls of language models, or storage at a price per GB-month."""

from dataclasses import dataclass
from decimal import Decimal

from evaluations.models import CallPurpose, PaidTo

MICRO_DOLLAR = Decimal("0.000001")


@dataclass(frozen=True, kw_only=True)
class Calls:
    """Calls and the tokens that servers reported. The cost of `without_price` and `without_tokens` is not known."""

    calls: int
    without_price: int
    without_tokens: int
    tokens_in: int
    tokens_out: int

    def __add__(self, other: "Calls") -> "Calls":
        return Calls(
            calls=self.calls + other.calls,
            without_price=self.without_price + other.without_price,
            without_tokens=self.without_tokens + other.without_tokens,
            tokens_in=self.tokens_in + other.tokens_in,
            tokens_out=self.tokens_out + other.tokens_out,
        )

    @property
    def without_cost(self) -> int:
        return self.without_price + self.without_tokens

    @property
    def why_unknown(self) -> str:
        """Why the cost of some calls is not known."""
        return "no price set" if self.without_price else "no tokens reported" if self.without_tokens else ""


@dataclass(frozen=True, kw_only=True)
class CostLine:
    """One kind of cost: `seconds` at one price per hour, `calls`, or `gb_months`. `paid_to` is who charges for it.

    `usd` is rounded to a millionth of a dollar; None where no cost is known, or where it is in another line. It is
    without `unpriced` requests.
    """

    kind: str
    title: str
    basis: str
    price_source: str
    usd: Decimal | None
    paid_to: PaidTo = PaidTo.SITE
    seconds: float | None = None
    usd_per_hour: Decimal | None = None
    calls: Calls | None = None
    unpriced: int = 0
    gb_months: Decimal | None = None
    usd_per_gb_month: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class JudgeLine:
    """What one judge's calls took for one purpose: a part of the cost line with that purpose and payee.

    `judge_key` is the judge's id, or the alias of a shared one; either may no longer exist.
    """

    purpose: str
    judge_key: str
    judge: str
    paid_to: PaidTo
    calls: Calls
    usd: Decimal | None
    price_sources: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return str(CallPurpose(self.purpose).label)
