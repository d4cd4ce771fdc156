"""The operator's pages of the price book."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from jobs.backends import compute
from metering.backends.price_lists import price_lists
from metering.models import Discount, ExchangeRate, Price
from metering.prices.services import add_discount, set_price, set_rate
from tenants.models import User
from tests.metering.clock import Clock
from tests.metering.prices.listed import InCloud, Listed

pytestmark = pytest.mark.django_db

LIST = "/operator/prices/"
G5 = "ml.g5.2xlarge"


def text_of(client: Client, address: str = LIST) -> str:
    return " ".join(client.get(address).content.decode().split("<main")[1].split())


def price(**changes: Any) -> Price:
    plain: dict[str, Any] = {
        "service": "hosting", "item": G5, "amount": Decimal("1.2"), "currency": "USD", "set_by": None
    }  # fmt: skip
    return set_price(**{**plain, **changes})


def entered(client: Client, name: str, **values: str) -> str:
    """What the page says after a form was sent, its errors or the list."""
    return " ".join(client.post(reverse(f"prices:{name}"), values, follow=True).content.decode().split())


def test_it_is_in_the_operators_navigation_only(as_olga: Client, as_alice: Client) -> None:
    assert f'href="{LIST}"' in as_olga.get("/operator/endpoints/").content.decode()
    assert LIST not in as_alice.get("/").content.decode()
    assert as_alice.get(LIST).status_code == 404


def test_what_has_no_price_comes_first_with_what_to_do(as_olga: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(compute.built, "default", InCloud("default", {"ROOT": "unused"}))
    price(service="storage", item="local")
    page = text_of(as_olga)
    assert page.index("In use without a price") < page.index("Current prices")
    assert "Runs on default" in page
    [link] = [part.split('"')[0] for part in page.split('href="') if part.startswith(f"{LIST}set/?")]
    form = as_olga.get(link.replace("&amp;", "&")).content.decode()
    assert 'value="ml.g6e.xlarge"' in form
    assert 'value="eu-west-1"' in form
    assert '<option value="training" selected>' in form
    price(service="training", item="ml.g6e.xlarge", currency="EUR")
    assert "Exchange rate from EUR to USD" in text_of(as_olga)
    set_rate(currency="EUR", rate=Decimal(2), set_by=None)
    assert "In use without a price" not in text_of(as_olga)


def test_current_prices_have_source_and_date(as_olga: Client, clock: Clock) -> None:
    price(region="eu-west-1", valid_until=clock.now + dt.timedelta(days=30))
    add_discount(service="hosting", percent=Decimal("12.5"), reason="Savings Plan", set_by=None)
    price(item="ours", currency="EUR")
    clock.set(2026, 9, 3)
    page = text_of(as_olga)
    for part in (
        "1.05 USD per hour",
        "List price 1.20 USD, 12.5% off",
        "less 12.5% (Savings Plan)",
        "1 Oct 2026, 10:20",
        "Set by your site’s operator on 1 Sep 2026",
        "no exchange rate to USD",
        "Estimate set by your site’s operator, not a bill",
        "Checking files is not charged",
    ):
        assert part in page, part


def test_a_price_that_is_over_is_still_listed(as_olga: Client, clock: Clock) -> None:
    row = price(valid_until=clock.now + dt.timedelta(days=1))
    clock.set(2026, 10, 1)
    assert "none now" in text_of(as_olga)
    page = text_of(as_olga, reverse("prices:item", args=[row.id]))
    assert "No price counts now." in page
    assert "End now" not in page


def test_a_price_is_set_by_a_form(as_olga: Client, olga: User, settings: Settings) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    values = {"service": "hosting", "item": G5, "region": "eu-west-1", "amount": "1.45", "currency": "USD"}
    page = entered(as_olga, "set", **values, valid_until="2099-01-01T00:00", note="Contract 4711")
    assert "Price set." in page
    row = Price.objects.get()
    assert (row.amount, row.recorded_by, row.note) == (Decimal("1.45"), olga, "Contract 4711")
    assert row.valid_until == dt.datetime(2098, 12, 31, 23, tzinfo=dt.UTC)
    history = text_of(as_olga, reverse("prices:item", args=[row.id]))
    for part in ("Now 1.45 USD. Set by your site’s operator", "Contract 4711", "Olga", "Set by hand"):
        assert part in history, part
    assert "Price ended." in " ".join(
        as_olga.post(reverse("prices:end", args=[row.id]), follow=True).content.decode().split()
    )
    assert "ended" in text_of(as_olga, reverse("prices:item", args=[row.id]))


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("set", {"amount": "NaN"}, "Enter a number."),
        ("set", {"amount": "-1"}, "Enter a number for the price: 0 to 100,000."),
        ("set", {"amount": "1e400"}, "Enter a number"),
        ("set", {"service": "lunch"}, "Select a valid choice"),
        ("set", {"currency": "XYZ"}, "Enter the three-letter code of a currency"),
        ("set", {"region": "Ireland"}, "Enter an AWS region such as eu-west-1"),
        ("set", {"item": "two words"}, "Enter an instance type such as"),
        ("set", {"valid_until": "2001-01-01T00:00"}, "The end must be after the start."),
        # The clocks go back: it is 02:30 twice.
        ("set", {"valid_from": "2027-10-31T02:30"}, "it may be ambiguous or it may not exist"),
        ("discount", {"percent": "101"}, "above 0 and at most 100 per cent"),
        ("discount", {"valid_from": "2001-01-01T00:00"}, "begin in the past"),
        ("discount", {"reason": ""}, "This field is required."),
        ("rate", {"currency": "USD"}, "Enter a currency other than USD."),
        ("rate", {"rate": "0"}, "Enter a number for the exchange rate"),
    ],
)
def test_bad_input_is_explained_at_the_form(
    as_olga: Client, settings: Settings, name: str, values: dict[str, str], said: str
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    plain = {
        "set": {"service": "hosting", "item": G5, "amount": "1", "currency": "USD"},
        "discount": {"service": "hosting", "percent": "10", "reason": "Plan"},
        "rate": {"currency": "EUR", "rate": "1.1", "into": "USD"},
    }
    assert said in entered(as_olga, name, **{**plain[name], **values})
    assert not any(model.objects.exists() for model in (Price, Discount, ExchangeRate))


def test_a_past_with_a_price_is_refused_at_its_field(as_olga: Client) -> None:
    price()
    page = entered(
        as_olga, "set", service="hosting", item=G5, amount="9", currency="USD", valid_from="2020-01-01T00:00"
    )
    assert "is known, and what is over can’t be changed" in page
    assert Price.objects.count() == 1


def test_a_discount_and_a_rate_are_added_and_the_discount_ended(as_olga: Client, olga: User) -> None:
    page = entered(as_olga, "discount", service="hosting", percent="20", reason="Savings <Plan>")
    assert "Discount added." in page
    assert "Savings &lt;Plan&gt;" in page
    assert "1 EUR = 1.08 USD" in entered(as_olga, "rate", currency="eur", rate="1.0800", into="USD", note="ECB")
    assert ExchangeRate.objects.get().recorded_by == olga
    discount = Discount.objects.get()
    as_olga.post(reverse("prices:end-discount", args=[discount.id]))
    discount.refresh_from_db()
    assert discount.ended_at is not None
    assert "Savings &lt;Plan&gt;" not in text_of(as_olga)


@pytest.fixture
def listed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Listed:
    made = Listed("default", {})
    settings.PRICE_LISTS = {"default": {}}
    monkeypatch.setattr(price_lists, "built", {"default": made})
    return made


def imported(client: Client) -> str:
    return " ".join(client.post(reverse("prices:import"), follow=True).content.decode().split())


def test_an_import_says_what_came_of_it(as_olga: Client, listed: Listed, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Import from AWS" in text_of(as_olga)
    assert "there is nothing to import" in imported(as_olga)
    monkeypatch.setitem(compute.built, "default", InCloud("default", {"ROOT": "unused"}))
    assert "AWS’s list has no single price for ml.g6e.xlarge in eu-west-1 (training)" in imported(as_olga)
    listed.services = ("training",)
    assert "1 new price imported from AWS, 0 unchanged." in imported(as_olga)
    assert "All prices are those of AWS’s list." in imported(as_olga)
    assert "AWS price list" in text_of(as_olga)
    listed.away = True
    assert "The list is away." in imported(as_olga)


def test_without_sagemaker_there_is_nothing_to_import_from(as_olga: Client) -> None:
    assert "Import from AWS" not in text_of(as_olga)


def test_a_long_book_takes_few_queries(as_olga: Client, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for index in range(40):
        price(item=f"machine-{index}", currency=("USD", "EUR")[index % 2])
    add_discount(service="hosting", percent=Decimal(5), reason="Plan", set_by=None)
    set_rate(currency="EUR", rate=Decimal(2), set_by=None)
    with django_assert_max_num_queries(15):
        as_olga.get(LIST)
