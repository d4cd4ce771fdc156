"""Which price holds when: overrides, gaps, regions, discounts, currencies, months with a change of clocks."""

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import LazySettings
from pytest_django import DjangoAssertNumQueries

from metering.models import Price, PriceSource, Service, Unit
from metering.prices.queries import price_at, prices_at, prices_in_hours
from metering.prices.services import add_discount, end_discount, end_price, set_price, set_rate
from metering.prices.texts import source_text
from tests.metering.clock import Clock

pytestmark = pytest.mark.django_db

G5 = "ml.g5.2xlarge"
HOUR = dt.timedelta(hours=1)


def listed(amount: str, *, valid_from: dt.datetime, recorded_at: dt.datetime, region: str = "eu-west-1") -> Price:
    """A row of AWS's list."""
    return Price.objects.create(
        service=Service.HOSTING, item=G5, region=region, unit=Unit.HOUR, amount=Decimal(amount), currency="USD",
        valid_from=valid_from, recorded_at=recorded_at, source=PriceSource.AWS,
    )  # fmt: skip


def by_hand(amount: str, **changes: Any) -> Price:
    plain: dict[str, Any] = {"service": Service.HOSTING, "item": G5, "currency": "USD", "set_by": None}
    return set_price(**{**plain, "amount": Decimal(amount), **changes})


def at(moment: dt.datetime, *, region: str = "eu-west-1", item: str = G5) -> Decimal | None:
    found = price_at(service=Service.HOSTING, item=item, region=region, at=moment)
    return None if found is None else found.amount


def test_nothing_is_known_of_an_item_without_a_price(clock: Clock) -> None:
    by_hand("1.5", region="eu-west-1")
    assert at(clock.now, item="ml.g5.xlarge") is None
    assert at(clock.now, region="us-east-1") is None
    assert price_at(service=Service.TRAINING, item=G5, region="eu-west-1", at=clock.now) is None


def test_a_price_of_zero_is_a_price(clock: Clock) -> None:
    by_hand("0")
    assert at(clock.now) == 0
    assert at(clock.now) is not None


def test_a_new_price_counts_from_now_and_the_running_hour_keeps_its_own(clock: Clock) -> None:
    by_hand("1.5")
    clock.set(2026, 9, 2, 14, 20)
    by_hand("2")
    assert at(clock.now.replace(minute=0)) == Decimal("1.5")
    assert at(clock.now - dt.timedelta(seconds=1)) == Decimal("1.5")
    assert at(clock.now) == at(clock.now + 100 * HOUR) == 2


def test_one_by_hand_wins_over_the_list_until_it_ends(clock: Clock) -> None:
    listed("1.2", valid_from=clock.now - 24 * HOUR, recorded_at=clock.now - HOUR)
    override = by_hand("1", valid_until=clock.now + 10 * HOUR)
    later = clock.now + 2 * HOUR
    listed("1.3", valid_from=later, recorded_at=later)
    assert [at(clock.now + hours * HOUR) for hours in (-2, 0, 9, 10)] == [Decimal(x) for x in ("1.2", "1", "1", "1.3")]
    clock.now += 5 * HOUR
    end_price(price=override)
    assert at(clock.now) == Decimal("1.3")
    assert at(clock.now - HOUR) == 1


def test_a_later_price_that_was_planned_is_kept_when_todays_is_corrected(clock: Clock) -> None:
    by_hand("1")
    by_hand("3", valid_from=clock.now + 10 * HOUR)
    clock.now += HOUR
    by_hand("2")
    assert [at(clock.now + hours * HOUR) for hours in (0, 8, 9)] == [2, 2, 3]


def test_the_list_learnt_late_does_not_change_hours_that_had_a_price(clock: Clock) -> None:
    week = dt.timedelta(days=7)
    listed("1.2", valid_from=clock.now - 4 * week, recorded_at=clock.now - 2 * week)
    listed("1.4", valid_from=clock.now - week, recorded_at=clock.now)
    assert at(clock.now - 5 * week) is None
    # Nothing was known then, so the first that is recorded fills it.
    assert at(clock.now - 3 * week) == Decimal("1.2")
    assert at(clock.now - HOUR) == Decimal("1.2")
    assert at(clock.now) == Decimal("1.4")


def test_the_region_comes_before_any_region(clock: Clock) -> None:
    by_hand("2", region="eu-west-1")
    by_hand("5")
    assert at(clock.now + HOUR) == 2
    assert at(clock.now + HOUR, region="ap-south-1") == 5


def test_the_greatest_of_several_discounts_counts(clock: Clock) -> None:
    listed("2", valid_from=clock.now - 30 * HOUR, recorded_at=clock.now - 30 * HOUR)
    discount: dict[str, Any] = {"service": Service.HOSTING, "set_by": None}
    add_discount(**discount, percent=Decimal(10), reason="Savings Plan")
    best = add_discount(**discount, item=G5, percent=Decimal("25.5"), reason="Trial",
                        valid_until=clock.now + 10 * HOUR)  # fmt: skip
    add_discount(**discount, item="ml.g5.xlarge", percent=Decimal(90), reason="Another machine")
    add_discount(service=Service.TRAINING, percent=Decimal(90), reason="Another service", set_by=None)
    found = price_at(service=Service.HOSTING, item=G5, region="eu-west-1", at=clock.now + HOUR)
    assert found is not None
    assert (found.list_amount, found.amount, found.discount) == (Decimal(2), Decimal("1.49"), best)
    assert source_text(found) == "AWS price list, 31 Aug 2026, less 25.5% (Trial)"
    assert at(clock.now - HOUR) == 2
    assert at(clock.now + 10 * HOUR) == Decimal("1.8")
    clock.now += 2 * HOUR
    end_discount(discount=best)
    assert at(clock.now) == Decimal("1.8")
    assert at(clock.now - HOUR) == Decimal("1.49")


def test_a_full_discount_is_free(clock: Clock) -> None:
    by_hand("2")
    add_discount(service=Service.HOSTING, percent=Decimal(100), reason="Credits", set_by=None)
    assert at(clock.now) == 0


def test_a_currency_without_a_rate_is_unknown(clock: Clock, settings: LazySettings) -> None:
    settings.CURRENCY = "EUR"
    by_hand("2", currency="USD")
    assert at(clock.now) is None
    set_rate(currency="USD", rate=Decimal("0.9"), set_by=None)
    clock.now += HOUR
    set_rate(currency="EUR", into="USD", rate=Decimal("1.25"), set_by=None)
    assert at(clock.now - HOUR) == Decimal("1.8")
    assert at(clock.now) == Decimal("1.6")
    found = price_at(service=Service.HOSTING, item=G5, at=clock.now)
    assert found is not None
    assert (found.currency, found.rate) == ("EUR", Decimal("0.8"))
    assert source_text(found) == "Set by your site’s operator on 1 Sep 2026, from 2.00 USD"
    in_dollars = price_at(service=Service.HOSTING, item=G5, at=clock.now, currency="USD")
    assert in_dollars is not None
    assert (in_dollars.amount, in_dollars.rate) == (Decimal(2), None)


@pytest.mark.parametrize(("zone", "month", "count"), [("Europe/Berlin", 3, 743), ("Europe/Berlin", 10, 745),
                                                      ("Asia/Kolkata", 2, 672), ("UTC", 8, 744)])  # fmt: skip
def test_a_month_of_hours_takes_few_queries(
    clock: Clock, django_assert_num_queries: DjangoAssertNumQueries, zone: str, month: int, count: int
) -> None:
    start = dt.datetime(2026, month, 1, tzinfo=ZoneInfo(zone))
    end = dt.datetime(2026, month + 1, 1, tzinfo=ZoneInfo(zone))
    noon = dt.datetime(2026, month, 15, 12, tzinfo=dt.UTC)
    listed("1", valid_from=start - HOUR, recorded_at=start - HOUR)
    listed("2", valid_from=noon, recorded_at=noon)
    with django_assert_num_queries(2):
        found = prices_in_hours(service=Service.HOSTING, item=G5, region="eu-west-1", start=start, end=end)
    assert len(found) == count
    assert all(hour.minute == 0 and start <= hour < end for hour in found)
    assert {price.amount for hour, price in found.items() if price and hour < noon} == {1}
    assert {price.amount for hour, price in found.items() if price and hour >= noon} == {2}


def test_moments_come_back_in_their_order(clock: Clock) -> None:
    by_hand("1")
    moments = [clock.now + HOUR, clock.now - HOUR, clock.now]
    found = prices_at(service=Service.HOSTING, item=G5, at=moments)
    assert [price and price.amount for price in found] == [1, None, 1]
    assert prices_at(service=Service.HOSTING, item=G5, at=[]) == []


def test_a_source_fits_into_a_job(clock: Clock, settings: LazySettings) -> None:
    settings.CURRENCY = "EUR"
    by_hand("99999.0123456789")
    set_rate(currency="USD", rate=Decimal("0.9"), set_by=None)
    add_discount(service=Service.HOSTING, percent=Decimal("12.25"), reason="x" * 80, set_by=None)
    found = price_at(service=Service.HOSTING, item=G5, at=clock.now)
    assert found is not None
    text = source_text(found)
    assert len(text) <= 200
    assert text.startswith("Set by your site’s operator on 1 Sep 2026, from 99,999.0123456789 USD, less 12.25% (xxx")
