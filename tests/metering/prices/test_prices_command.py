"""`manage.py prices`, and the task that imports every day."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from jobs.backends import compute
from jobs.backends.local import LocalCompute
from metering.backends.price_lists import price_lists
from metering.models import Discount, ExchangeRate, Price
from metering.tasks import import_prices_in_use
from portal.configured.schedule import SCHEDULE
from tests.metering.clock import Clock
from tests.metering.prices.listed import InCloud, Listed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def listed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Listed:
    made = Listed("default", {})
    settings.PRICE_LISTS = {"default": {}}
    monkeypatch.setattr(price_lists, "built", {"default": made})
    return made


def prices(*arguments: str) -> str:
    out = io.StringIO()
    call_command("prices", *arguments, stdout=out)
    return out.getvalue()


def test_a_price_is_set_listed_and_ended(clock: Clock) -> None:
    said = prices("set", "hosting", "ml.g5.2xlarge", "1.450", "--region", "eu-west-1", "--until", "2027-01-01")
    assert "ml.g5.2xlarge in eu-west-1: 1.45 USD per hour from 1 Sep 2026, 10:20 UTC" in said
    row = Price.objects.get()
    assert row.valid_until is not None
    assert (row.valid_until.year, row.source) == (2027, "hand")
    assert f"1.45 USD per hour  Set by your site’s operator on 1 Sep 2026  {row.id}" in prices("list")
    clock.set(2026, 9, 2)
    assert prices("end", str(row.id)) == "Ended.\n"
    assert str(row.id) not in prices("list")


def test_discounts_and_rates_are_listed_with_their_times(clock: Clock) -> None:
    prices("discount", "hosting", "20", "--reason", "Savings Plan", "--until", "2027-06-30T12:00")
    prices("rate", "eur", "1.08")
    prices("set", "judge_input", "shared", "2", "--currency", "EUR")
    prices("set", "storage", "STANDARD", "0.02", "--currency", "GBP")
    clock.set(2026, 9, 2)
    said = prices("list")
    assert "20% off everything from 1 Sep 2026, 10:20 UTC until 30 Jun 2027, 12:00 UTC  Savings Plan" in said
    assert "1 EUR = 1.08 USD from 1 Sep 2026, 10:20 UTC" in said
    assert "shared: 2.16 USD per million tokens  Set by your site’s operator on 1 Sep 2026, from 2.00 EUR" in said
    assert "STANDARD: 0.02 GBP per GB-month, no rate to USD" in said
    prices("end", str(Discount.objects.get().id))
    assert "Savings Plan" not in prices("list")
    assert ExchangeRate.objects.get().into == "USD"


def test_what_has_no_price_comes_first(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    prices("set", "hosting", "ml.g5.2xlarge", "1.45")
    bare = LocalCompute("bare", {"ROOT": "unused"})
    monkeypatch.setitem(compute.built, "default", bare)
    first, *rest = prices("list").splitlines()
    assert first.endswith("bare: no price; used by Runs on default")
    assert any("local: 0.10 USD per GB-month" in line for line in rest)
    assert any("checks: 0.00 USD per hour  Checking files is not charged" in line for line in rest)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("set", "hosting", "ml.g5.2xlarge", "-1"), "Enter a number for the price"),
        (("set", "hosting", "ml.g5.2xlarge", "NaN"), "Enter a number for the price"),
        (("set", "hosting", "ml.g5.2xlarge", "one"), "invalid number value: 'one'"),
        (("set", "lunch", "x", "1"), "invalid choice"),
        (("set", "hosting", "x", "1", "--from", "tomorrow"), "invalid moment value"),
        (("set", "hosting", "x", "1", "--currency", "XXX"), "three-letter code"),
        (("discount", "hosting", "20", "--reason", " "), "Say what the discount is for"),
        (("rate", "USD", "1"), "other than USD"),
        (("end", "9b1c1e51-0000-4000-8000-000000000000"), "Discount not found"),
        (("import", "--region", "eu-west-1"), "both --region and --instance"),
    ],
)
def test_bad_arguments_are_explained(clock: Clock, arguments: tuple[str, ...], why: str) -> None:
    with pytest.raises(CommandError, match=why):
        prices(*arguments)


def test_instances_are_imported_by_name(clock: Clock, listed: Listed) -> None:
    said = prices("import", "--region", "eu-west-1", "--instance", "ml.g5.xlarge", "--instance", "ml.g5.2xlarge")
    assert "training      ml.g5.xlarge in eu-west-1: not in the list" in said
    assert said.endswith("2 new, 0 unchanged, 2 not listed.\n")
    assert Price.objects.filter(service="hosting", source="aws").count() == 2
    listed.away = True
    with pytest.raises(CommandError, match="The list is away"):
        prices("import", "--region", "eu-west-1", "--instance", "ml.g5.xlarge")


def test_what_is_in_use_is_imported_without_a_name(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="No instance of a cloud is in use"):
        prices("import")
    monkeypatch.setitem(compute.built, "default", InCloud("default", {"ROOT": "unused"}))
    assert prices("import").endswith("0 new, 0 unchanged, 1 not listed.\n")


def test_the_task_imports_every_day(clock: Clock, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    asked: list[Any] = []
    monkeypatch.setattr("metering.tasks.import_prices", lambda items: asked.extend(items))
    import_prices_in_use()
    assert asked == [], "nothing in a cloud is in use"
    monkeypatch.setitem(compute.built, "default", InCloud("default", {"ROOT": "unused"}))
    import_prices_in_use()
    assert [str(item) for item in asked] == ["ml.g6e.xlarge in eu-west-1"]
    asked.clear()
    settings.PRICE_LISTS = {}
    import_prices_in_use()
    assert asked == [], "a site without SageMaker has no list"
    entry = SCHEDULE["import-prices"]
    assert (entry["task"], entry["schedule"]._orig_hour) == (import_prices_in_use.name, 4)


def test_a_list_that_is_away_is_read_another_day(
    clock: Clock, listed: Listed, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(compute.built, "default", InCloud("default", {"ROOT": "unused"}))
    listed.away = True
    import_prices_in_use()
    assert "prices_not_imported" in caplog.text
