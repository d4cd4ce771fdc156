"""AWS's Price List API: the on-demand prices of SageMaker's instances, and of tokens of models on Bedrock.

Each product is a JSON document in a string. Hosting and training of one instance type are different products with
different prices; a product also lists savings plans, which are agreements and no prices.
"""

import datetime as dt
import json
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any, ClassVar

import boto3
import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from metering.backends.bedrock_products import FEATURE, KINDS, is_price_of, per_million
from metering.backends.bedrock_products import SERVICE_CODE as BEDROCK
from metering.backends.price_lists import ListedPrice, PriceList, PriceListError, Wanted

REGIONS = ("us-east-1", "eu-central-1", "ap-south-1")
"""Where AWS runs this API. Each knows the prices of all regions."""

CLIENT = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 4})
USAGE = {"hosting": "Host", "training": "Train"}
"""What the usage type says before the instance type, as in EUW1-Host:ml.g5.2xlarge."""
HOURS = frozenset({"hrs", "hr", "hours", "hour"})
WITHOUT_END = "Inf"
THROTTLED = frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"})
DENIED = frozenset({"AccessDeniedException", "UnrecognizedClientException", "ExpiredTokenException"})

log = structlog.get_logger(__name__)


class AwsPriceList(PriceList):
    """Options: REGION, one of those that have the API; ENDPOINT_URL in place of AWS's address."""

    options: ClassVar[dict[str, Any]] = {"REGION": REGIONS[0], "ENDPOINT_URL": ""}

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        super().__init__(alias, options)
        if self.settings["REGION"] not in REGIONS:
            raise ValueError(f"PRICE_LISTS[{alias!r}] needs one of {', '.join(REGIONS)} as REGION")

    def prices(self, wanted: Collection[Wanted]) -> list[ListedPrice]:
        # The list of a region's models can only be searched as a whole.
        places = {one: (one.region, "" if one.service in KINDS else one.instance_type) for one in wanted}
        products = {place: list(self._products(*place)) for place in sorted(set(places.values()))}
        found = (_price(one, products[place]) for one, place in places.items())
        return [price for price in found if price is not None]

    @cached_property
    def _client(self) -> Any:
        return boto3.client(
            "pricing",
            region_name=self.settings["REGION"],
            endpoint_url=self.settings["ENDPOINT_URL"] or None,
            config=CLIENT,
        )

    def _products(self, region: str, instance_type: str) -> Iterator[dict[str, Any]]:
        kind = ("instanceName", instance_type) if instance_type else ("feature", FEATURE)
        filters = [
            {"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in (("regionCode", region), kind)
        ]
        with translated():
            pages = self._client.get_paginator("get_products").paginate(
                ServiceCode="AmazonSageMaker" if instance_type else BEDROCK, Filters=filters, FormatVersion="aws_v1"
            )
            for page in pages:
                yield from (_document(text) for text in page["PriceList"])


@contextmanager
def translated() -> Iterator[None]:
    """Raise AWS's errors as PriceListError."""
    try:
        yield
    except (NoCredentialsError, PartialCredentialsError) as error:
        text = "AWS credentials are missing. Give the site a role that may call pricing:GetProducts."
        raise PriceListError(text, code="price_list:denied") from error
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in THROTTLED:
            text = "AWS limits how often its price list is read. Try again in a minute."
            raise PriceListError(text, code="price_list:throttled", temporary=True) from error
        if code in DENIED:
            text = f"AWS refused to show its price list ({code}). Allow the site’s role to call pricing:GetProducts."
            raise PriceListError(text, code="price_list:denied") from error
        text = f"AWS’s price list answered with an error ({code}). Try again later."
        raise PriceListError(text, temporary=True) from error
    except (BotoCoreError, ConnectionError, TimeoutError) as error:
        raise PriceListError("AWS’s price list can’t be reached. Try again later.", temporary=True) from error


def _document(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
        return {"attributes": dict(document["product"]["attributes"]), **document}
    except (ValueError, TypeError, KeyError) as error:
        raise unreadable() from error


def unreadable() -> PriceListError:
    return PriceListError("AWS’s price list has a form that this version can’t read.", code="price_list:unreadable")


def _price(wanted: Wanted, products: list[dict[str, Any]]) -> ListedPrice | None:
    """The one price of the products that are wanted; None without one, or where they differ."""
    mine = [product for product in products if _is_wanted(product["attributes"], wanted)]
    try:
        offers = [price for product in mine for price in _on_demand(wanted, product)]
    except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as error:
        raise unreadable() from error
    if len({(price.amount, price.currency) for price in offers}) > 1:
        log.warning("price_list_has_several_prices", item=wanted.instance_type, region=wanted.region)
        return None
    return max(offers, key=lambda price: price.effective_from, default=None)


def _is_wanted(attributes: dict[str, Any], wanted: Wanted) -> bool:
    if wanted.service in KINDS:
        return is_price_of(attributes, service=wanted.service, model_id=wanted.instance_type, region=wanted.region)
    usage = re.compile(rf"(.+-)?{USAGE[wanted.service]}:{re.escape(wanted.instance_type)}")
    return (
        attributes.get("regionCode") == wanted.region
        and usage.fullmatch(str(attributes.get("usagetype"))) is not None
        and (wanted.service != "training" or attributes.get("component") == "Training")
    )


def _on_demand(wanted: Wanted, product: dict[str, Any]) -> Iterator[ListedPrice]:
    terms = list(product["terms"].get("OnDemand", {}).values())
    if not terms:
        return
    newest = max(terms, key=lambda term: _moment(term["effectiveDate"]))
    for dimension in newest["priceDimensions"].values():
        # Tiers: the last one has no end, and is what further hours cost. Its price of 0 would be that of a free offer.
        if dimension.get("endRange", WITHOUT_END) != WITHOUT_END:
            continue
        [(currency, text)] = dimension["pricePerUnit"].items()
        amount = _per_unit(wanted, Decimal(text), dimension["unit"])
        if amount is None:
            continue
        if not amount.is_finite() or amount < 0:
            raise ValueError(text)
        if amount:
            usage, sku = product["attributes"]["usagetype"], product["product"]["sku"]
            yield ListedPrice(
                wanted=wanted,
                amount=round(amount, 10),
                currency=str(currency),
                effective_from=_moment(newest["effectiveDate"]),
                reference=f"{usage}, SKU {sku}",
            )


def _per_unit(wanted: Wanted, amount: Decimal, unit: str) -> Decimal | None:
    """Per hour, or per million tokens; None for another unit."""
    if wanted.service in KINDS:
        return per_million(amount, unit)
    return amount if unit.lower() in HOURS else None


def _moment(text: str) -> dt.datetime:
    found = dt.datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
