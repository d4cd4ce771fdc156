"""Add to the price book. Nothing in it is changed: what was known of a time that is over stays as it was."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from metering.backends.price_lists import ListedPrice, PriceListError, Wanted, price_lists
from metering.models import UNITS, Discount, ExchangeRate, Price, PriceSource
from metering.models.prices import Dated
from metering.prices import checking
from metering.prices.book import Book
from metering.prices.errors import WrongPrice
from metering.prices.items import Item
from metering.prices.queries import book_of
from metering.prices.texts import moment_text
from rest.errors import Conflict
from tenants.models import User

BOOK_LOCK = 0x9B1C_E5
"""Of every transaction that adds to the book: two at once could fill in the same time, or add the same prices twice."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What an import did: prices that are new, those that were known already, and items that AWS has no price for."""

    added: Sequence[Price]
    unchanged: int
    missing: Sequence[Item]


@transaction.atomic
def set_price(
    *,
    service: str,
    item: str,
    region: str = "",
    amount: Decimal,
    currency: str,
    valid_from: dt.datetime | None = None,
    valid_until: dt.datetime | None = None,
    note: str = "",
    set_by: User | None,
) -> Price:
    """Set a price by hand, per unit of its service, from now on or from a later time; it wins over AWS's list.

    An earlier time is possible where no price is known from then until now, or until `valid_until`. Raises WrongPrice
    with `field`; Conflict: price:known_already.
    """
    now = _time_of_record(Price)
    start = checking.start_of(valid_from, now)
    checking.check_end(start, valid_until)
    known = checking.service_of(service)
    wanted = Item(service=known, item=checking.item_of(item), region=checking.region_of(region))
    row = Price(
        service=wanted.service,
        item=wanted.item,
        region=wanted.region,
        unit=UNITS[known],
        amount=checking.amount_of(amount),
        currency=checking.currency_of(currency),
        valid_from=start,
        valid_until=valid_until,
        source=PriceSource.HAND,
        note=checking.one_line(note, 300, field="note"),
        recorded_at=now,
        recorded_by=set_by,
    )
    _refuse_known(book_of([wanted]).known_since(wanted, start, min(now, valid_until or now)), "price")
    row.save(force_insert=True)
    log.info("price_set", service=row.service, item=row.item, region=row.region, price=str(row.id))
    return row


@transaction.atomic
def end_price(*, price: Price) -> None:
    """End a price that was set by hand now, so that what it replaced counts again. Ending it twice has no effect.

    Raises Conflict for a price of AWS's list: price:not_by_hand.
    """
    if price.source != PriceSource.HAND:
        text = "Prices of AWS’s list can’t be ended. Set a price by hand, which wins over it."
        raise Conflict(text, code="price:not_by_hand")
    _end(price)


@transaction.atomic
def add_discount(
    *,
    service: str,
    item: str = "",
    percent: Decimal,
    valid_from: dt.datetime | None = None,
    valid_until: dt.datetime | None = None,
    reason: str,
    set_by: User | None,
) -> Discount:
    """Take `percent` off the prices of a service, or of one item of it, from now on or from a later time.

    Raises WrongPrice with `field`.
    """
    now = _time_of_record(Discount)
    start = checking.start_of(valid_from, now)
    if start < now:
        text = "A discount can’t begin in the past: it would change costs that are known. Leave this empty for now."
        raise WrongPrice(text, field="valid_from")
    checking.check_end(start, valid_until)
    why = checking.one_line(reason, 80, field="reason")
    if not why:
        raise WrongPrice("Say what the discount is for, such as “Savings Plan”.", field="reason")
    discount = Discount.objects.create(
        service=checking.service_of(service),
        item=checking.item_of(item) if item.strip() else "",
        percent=checking.percent_of(percent),
        valid_from=start,
        valid_until=valid_until,
        reason=why,
        recorded_at=now,
        recorded_by=set_by,
    )
    log.info("discount_added", service=discount.service, item=discount.item, discount=str(discount.id))
    return discount


@transaction.atomic
def end_discount(*, discount: Discount) -> None:
    """End a discount now, or cancel one to come. Ending it twice has no effect."""
    _end(discount)


@transaction.atomic
def set_rate(
    *,
    currency: str,
    into: str = "",
    rate: Decimal,
    valid_from: dt.datetime | None = None,
    note: str = "",
    set_by: User | None,
) -> ExchangeRate:
    """Record what one unit of a currency is worth in another (the site's unless named), from now on or from later.

    An earlier time is possible where no rate is known from then until now. Raises WrongPrice with `field`; Conflict:
    price:known_already.
    """
    now = _time_of_record(ExchangeRate)
    start = checking.start_of(valid_from, now)
    source = checking.currency_of(currency)
    target = checking.currency_of(into or settings.CURRENCY, field="into")
    if source == target:
        raise WrongPrice(f"Enter a currency other than {target}.", field="currency")
    row = ExchangeRate(
        currency=source,
        into=target,
        rate=checking.rate_of(rate),
        valid_from=start,
        note=checking.one_line(note, 300, field="note"),
        recorded_at=now,
        recorded_by=set_by,
    )
    book = Book(currency=target, rates=list(ExchangeRate.objects.all()))
    _refuse_known(book.rate_known_since(source, start, now), "exchange rate")
    row.save(force_insert=True)
    log.info("exchange_rate_set", currency=source, into=target, rate=str(row.id))
    return row


def import_prices(*, items: Collection[Item]) -> Imported:
    """Add AWS's current prices of the items, which need a region. Those that are known already are not added again.

    Asks AWS, so it runs outside a transaction. Raises PriceListError.
    """
    wanted = {Wanted(service=item.service, item=item.item, region=item.region): item for item in items}
    if not price_lists:
        text = "This site has no price list to import from: it isn’t set up for SageMaker. Set prices by hand."
        raise PriceListError(text, code="price_list:none")
    listed = [price for price in price_lists["default"].prices(wanted) if price.amount <= checking.HIGHEST_PRICE]
    with transaction.atomic():
        added = _add_listed([(wanted[price.wanted], price) for price in listed])
    found = {price.wanted for price in listed}
    log.info("prices_imported", added=len(added), unchanged=len(listed) - len(added))
    return Imported(
        added=added,
        unchanged=len(listed) - len(added),
        missing=[item for key, item in wanted.items() if key not in found],
    )


def _add_listed(listed: Sequence[tuple[Item, ListedPrice]]) -> list[Price]:
    now = _time_of_record(Price)
    rows = []
    for item, price in listed:
        same_item = Price.objects.filter(
            source=PriceSource.AWS, service=item.service, item=item.item, region=item.region
        )
        last = same_item.order_by("-recorded_at").first()
        terms = (price.amount, price.currency, price.effective_from)
        if last is not None and (last.amount, last.currency, last.valid_from) == terms:
            continue
        rows.append(
            Price(
                service=item.service,
                item=item.item,
                region=item.region,
                unit=item.unit,
                amount=price.amount,
                currency=price.currency,
                valid_from=price.effective_from,
                source=PriceSource.AWS,
                note=price.reference[:300],
                recorded_at=now,
            )
        )
    return Price.objects.bulk_create(rows)


def _time_of_record(table: type[Dated]) -> dt.datetime:
    """Now, but after everything in the table: what was recorded first tells which row fills in a past time.

    Others that would record something wait until the transaction ends.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [BOOK_LOCK])
    last: dt.datetime | None = table._default_manager.aggregate(last=Max("recorded_at"))["last"]
    now = timezone.now()
    return now if last is None or last < now else last + dt.timedelta(microseconds=1)


def _refuse_known(since: dt.datetime | None, what: str) -> None:
    if since is not None:
        text = (
            f"The {what} at {moment_text(since)} is known, and what is over can’t be changed. Leave this empty to "
            "start now, or choose a later time."
        )
        raise Conflict(text, code="price:known_already", field="valid_from")


def _end(row: Price | Discount) -> None:
    changed = type(row).objects.filter(id=row.id, ended_at=None).update(ended_at=timezone.now())
    if changed:
        log.info("ended_in_price_book", kind=row._meta.model_name, row=str(row.id))
