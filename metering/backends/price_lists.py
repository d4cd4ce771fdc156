"""The contract of a price list: what a cloud asks for an hour of an instance, or for tokens of a model.

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
    """`service` is hosting or training, of an instance type; judge_input or judge_output, of a model's ID."""

    service: str
    instance_type: str
    region: str


@dataclass(frozen=True, kw_only=True)
class ListedPrice:
    """The list's price per hour or per million tokens, without savings plans, and since when the list has it.

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
