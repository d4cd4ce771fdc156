"""The contract of a price list: what a cloud asks for an hour of an instance, tokens of a model, or storage.

`price_lists["default"]`.
"""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from jobs.aliases import Aliases, merge_options
from rest.errors import PortalError


class PriceListError(PortalError):
    """The list could not be read; `text` says why. If `temporary`, a later try may succeed."""

    code = "price_list:unavailable"
    status = 503

    def __init__(self, text: str, *, code: str | None = None, temporary: bool = False) -> None:
        super().__init__(text, code=code)
        self.temporary = temporary


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a price is looked for.

    `item` is an instance type of the services hosting and training, the ID of a model of judge_input and judge_output,
    or a storage class of storage.
    """

    service: str
    item: str
    region: str


@dataclass(frozen=True, kw_only=True)
class ListedPrice:
    """The list's price per hour, million tokens or GB-month, without savings plans, and since when the list has it.

    `amount` has at most ten decimal places. `reference` names the entry in the list, for people who want to find it.
    """

    wanted: Wanted
    amount: Decimal
    currency: str
    effective_from: dt.datetime
    reference: str


class PriceList(ABC):
    """A list of prices."""

    options: ClassVar[dict[str, Any]] = {}

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        self.alias = alias
        self.settings = merge_options("PRICE_LISTS", alias, self.options, options)

    @abstractmethod
    def prices(self, wanted: Collection[Wanted]) -> list[ListedPrice]:
        """What the list says, without what it has no price for, or no single one. Raises PriceListError."""


price_lists: Aliases[PriceList] = Aliases("PRICE_LISTS")
