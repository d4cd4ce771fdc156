"""The part of AWS's price list that one service has: how it is searched, and which of its entries is a price."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from metering.backends.price_lists import Wanted


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """`search` gives the field and value, beside the region, that narrow the list down as far as it can be.

    `is_price_of` says whether an entry with these attributes is the price of what is wanted. `per_unit` turns a price
    into that of the price book's unit, None for a unit that it doesn't know. Of tiers the last one counts, which has no
    end, or the `first_tier`.
    """

    service_code: str
    search: Callable[[Wanted], tuple[str, str]]
    is_price_of: Callable[[Mapping[str, Any], Wanted], bool]
    per_unit: Callable[[Decimal, str], Decimal | None]
    first_tier: bool = False
