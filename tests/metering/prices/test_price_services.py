"""What may be added to the price book, and that nothing in it can be changed."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction
from pytest_django import Settings

from metering.models import Discount, ExchangeRate, Price, Service
from metering.prices.book import PriceFound
from metering.prices.errors import WrongPrice
from metering.prices.queries import price_at
from metering.prices.services import add_discount, end_discount, end_price, set_price, set_rate
from rest.errors import Conflict
from tenants.models import User
from tests.metering.clock import Clock

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)
G5 = "ml.g5.2xlarge"


def price(**changes: Any) -> Price:
    plain: dict[str, Any] = {
        "service": "hosting",
        "item": G5,
        "amount": Decimal("1.5"),
        "currency": "USD",
        "set_by": None,
    }
    return set_price(**{**plain, **changes})


def discount(**changes: Any) -> Discount:
    plain: dict[str, Any] = {"service": "hosting", "percent": Decimal(10), "reason": "Savings Plan", "set_by": None}
    return add_discount(**{**plain, **changes})


def rate(**changes: Any) -> ExchangeRate:
    plain: dict[str, Any] = {"currency": "EUR", "rate": Decimal("1.08"), "set_by": None}
    return set_rate(**{**plain, **changes})


def found(moment: dt.datetime) -> PriceFound:
    price = price_at(service=Service.HOSTING, item=G5, at=moment)
    assert price is not None
    return price


def test_a_price_is_recorded_with_its_unit_and_who_set_it(clock: Clock, olga: User) -> None:
    row = price(service="judge_input", item="shared", currency=" eur ", note="Contract\n of  May", set_by=olga)
    row.refresh_from_db()
    assert (row.unit, row.currency, row.note, row.recorded_by) == ("million_tokens", "EUR", "Contract of May", olga)
    assert row.valid_from == row.recorded_at == clock.now
    assert row.valid_until is None


@pytest.mark.parametrize("amount", ["-0.01", "NaN", "sNaN", "Infinity", "-Infinity", "1e9", "100000.01", "1e-11"])
def test_a_hostile_price_is_refused(clock: Clock, amount: str) -> None:
    with pytest.raises(WrongPrice) as refused:
        price(amount=Decimal(amount))
    assert refused.value.field == "amount"
    assert not Price.objects.exists()


@pytest.mark.parametrize("value", ["0", "-1", "NaN", "Infinity", "1000001", "1e-11"])
def test_a_hostile_rate_is_refused(clock: Clock, value: str) -> None:
    with pytest.raises(WrongPrice) as refused:
        rate(rate=Decimal(value))
    assert refused.value.field == "rate"


@pytest.mark.parametrize("value", ["0", "-5", "100.01", "NaN", "Infinity", "0.001"])
def test_a_hostile_discount_is_refused(clock: Clock, value: str) -> None:
    with pytest.raises(WrongPrice) as refused:
        discount(percent=Decimal(value))
    assert refused.value.field == "percent"


@pytest.mark.parametrize(
    ("write", "changes", "field"),
    [
        (price, {"service": "lunch"}, "service"),
        (price, {"item": ""}, "item"),
        (price, {"item": "ml g5"}, "item"),
        (price, {"item": "x" * 81}, "item"),
        (price, {"item": "x\0"}, "item"),
        (price, {"region": "Ireland"}, "region"),
        (price, {"currency": "XXX"}, "currency"),
        (price, {"currency": "US$"}, "currency"),
        (price, {"note": "x" * 301}, "note"),
        (discount, {"service": "lunch"}, "service"),
        (discount, {"item": "ml g5"}, "item"),
        (discount, {"reason": " \n"}, "reason"),
        (discount, {"reason": "x" * 81}, "reason"),
        (rate, {"currency": "USD"}, "currency"),
        (rate, {"currency": "ABC"}, "currency"),
        (rate, {"into": "ABC"}, "into"),
    ],
)
def test_bad_input_names_its_field(
    clock: Clock, write: Callable[..., object], changes: dict[str, str], field: str
) -> None:
    with pytest.raises(WrongPrice) as refused:
        write(**changes)
    assert refused.value.field == field


@pytest.mark.parametrize("write", [price, discount])
def test_the_end_comes_after_the_start(clock: Clock, write: Callable[..., object]) -> None:
    for start, end in ((None, clock.now), (clock.now + HOUR, clock.now + HOUR)):
        with pytest.raises(WrongPrice) as refused:
            write(valid_from=start, valid_until=end)
        assert refused.value.field == "valid_until"


def test_what_was_entered_a_moment_ago_begins_now(clock: Clock) -> None:
    assert price(valid_from=clock.now - dt.timedelta(seconds=50)).valid_from == clock.now
    assert discount(valid_from=clock.now - dt.timedelta(seconds=50)).valid_from == clock.now


def test_a_past_without_a_price_can_be_filled_in_once(clock: Clock) -> None:
    first = price(valid_from=clock.now - 100 * HOUR)
    assert first.valid_from == clock.now - 100 * HOUR
    with pytest.raises(Conflict) as refused:
        price(valid_from=clock.now - 5 * HOUR, amount=Decimal(3))
    assert (refused.value.code, refused.value.field) == ("price:known_already", "valid_from")
    assert "28 Aug 2026" not in refused.value.text
    with pytest.raises(Conflict, match=r"28 Aug 2026, 06:20 UTC"):
        price(valid_from=clock.now - 200 * HOUR, amount=Decimal(3))
    before = price(valid_from=clock.now - 200 * HOUR, valid_until=first.valid_from, amount=Decimal(3))
    assert found(clock.now - 150 * HOUR).price == before
    assert found(clock.now - HOUR).price == first


def test_a_discount_never_begins_in_the_past(clock: Clock) -> None:
    with pytest.raises(WrongPrice) as refused:
        discount(valid_from=clock.now - HOUR)
    assert refused.value.field == "valid_from"


def test_a_past_without_a_rate_can_be_filled_in_once(clock: Clock, settings: Settings) -> None:
    settings.CURRENCY = "EUR"
    price(valid_from=clock.now - 50 * HOUR)
    rate(currency="USD", rate=Decimal("0.5"), valid_from=clock.now - 20 * HOUR)
    with pytest.raises(Conflict, match="exchange rate"):
        rate(currency="USD", valid_from=clock.now - HOUR)
    with pytest.raises(Conflict, match="exchange rate"):
        # The same pair, the other way round.
        rate(currency="EUR", into="USD", valid_from=clock.now - HOUR)
    assert price_at(service=Service.HOSTING, item=G5, at=clock.now - 30 * HOUR) is None
    assert found(clock.now - 10 * HOUR).amount == Decimal("0.75")


def test_only_prices_by_hand_can_be_ended(clock: Clock) -> None:
    row = price()
    clock.now += HOUR
    end_price(price=row)
    ended = Price.objects.get().ended_at
    clock.now += HOUR
    end_price(price=row)
    assert Price.objects.get().ended_at == ended == clock.now - HOUR
    with pytest.raises(Conflict) as refused:
        end_price(price=Price(source="aws"))
    assert refused.value.code == "price:not_by_hand"


def test_a_discount_to_come_can_be_cancelled(clock: Clock) -> None:
    price()
    later = discount(valid_from=clock.now + 5 * HOUR)
    end_discount(discount=later)
    assert found(clock.now + 6 * HOUR).discount is None


def test_the_database_refuses_to_change_or_delete_rows(clock: Clock, olga: User) -> None:
    ended, *others = price(set_by=olga), discount(set_by=olga), rate(set_by=olga)
    end_price(price=ended)
    for row in (ended, *others):
        table = row._meta.db_table
        for change in (
            f"UPDATE {table} SET recorded_at = now()",
            f"UPDATE {table} SET valid_from = valid_from - interval '1 day'",
            f"DELETE FROM {table}",
        ):
            with pytest.raises(ProgrammingError, match="only added to"), transaction.atomic():
                connection.cursor().execute(change)
    for change in ("ended_at = NULL", "ended_at = now()", "amount = 0"):
        with pytest.raises(ProgrammingError, match="only added to"), transaction.atomic():
            connection.cursor().execute(f"UPDATE metering_price SET {change}")
    # An account can still be deleted; what it recorded stays.
    olga.delete()
    assert Price.objects.get().recorded_by is None
