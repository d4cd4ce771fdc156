"""AWS's Price List API: on-demand prices of SageMaker's instances, of tokens of models on Bedrock, and of S3.

Each product is a JSON document in a string. It also lists savings plans, which are agreements and no prices.
"""

import datetime as dt
import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any, ClassVar

import boto3
import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from metering.backends.bedrock_products import BEDROCK
from metering.backends.catalogues import Catalogue
from metering.backends.price_lists import ListedPrice, PriceList, PriceListError, Wanted
from metering.backends.s3_products import S3
from metering.backends.sagemaker_products import SAGEMAKER

CATALOGUES: dict[str, Catalogue] = {
    "hosting": SAGEMAKER,
    "training": SAGEMAKER,
    "judge_input": BEDROCK,
    "judge_output": BEDROCK,
    "storage": S3,
}
"""By the price book's service."""

REGIONS = ("us-east-1", "eu-central-1", "ap-south-1")
"""Where AWS runs this API. Each knows the prices of all regions."""

CLIENT = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 4})
WITHOUT_END = "Inf"
BEGINNING = "0"
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
        places = {one: (one.region, CATALOGUES[one.service], CATALOGUES[one.service].search(one)) for one in wanted}
        products = {place: list(self._products(*place)) for place in dict.fromkeys(places.values())}
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

    def _products(self, region: str, catalogue: Catalogue, search: tuple[str, str]) -> Iterator[dict[str, Any]]:
        filters = [
            {"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in (("regionCode", region), search)
        ]
        with translated():
            pages = self._client.get_paginator("get_products").paginate(
                ServiceCode=catalogue.service_code, Filters=filters, FormatVersion="aws_v1"
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
    is_price_of = CATALOGUES[wanted.service].is_price_of
    # Also the region: AWS compares what is searched for without regard to case.
    mine = [
        product
        for product in products
        if product["attributes"].get("regionCode") == wanted.region and is_price_of(product["attributes"], wanted)
    ]
    try:
        offers = [price for product in mine for price in _on_demand(wanted, product)]
    except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as error:
        raise unreadable() from error
    if len({(price.amount, price.currency) for price in offers}) > 1:
        log.warning("price_list_has_several_prices", item=wanted.item, region=wanted.region)
        return None
    return max(offers, key=lambda price: price.effective_from, default=None)


def _on_demand(wanted: Wanted, product: dict[str, Any]) -> Iterator[ListedPrice]:
    terms = list(product["terms"].get("OnDemand", {}).values())
    if not terms:
        return
    newest = max(terms, key=lambda term: _moment(term["effectiveDate"]))
    catalogue = CATALOGUES[wanted.service]
    for dimension in newest["priceDimensions"].values():
        # The last tier is what further hours cost. Its price of 0 would be that of a free offer.
        bound, counts = ("beginRange", BEGINNING) if catalogue.first_tier else ("endRange", WITHOUT_END)
        if dimension.get(bound, counts) != counts:
            continue
        [(currency, text)] = dimension["pricePerUnit"].items()
        amount = catalogue.per_unit(Decimal(text), dimension["unit"])
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


def _moment(text: str) -> dt.datetime:
    found = dt.datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
