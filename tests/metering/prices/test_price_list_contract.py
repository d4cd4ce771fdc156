"""One contract for price lists: AWS's, against a strict stand-in and, with AWS_LIVE=1, against AWS."""

import datetime as dt
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError, HTTPClientError
from pytest_django import Settings

from metering.backends.price_lists import PriceList, PriceListError, Wanted, price_lists
from metering.backends.pricing import AwsPriceList
from metering.checks import check_backends
from metering.models import Price, Service
from metering.prices.items import Item
from metering.prices.queries import price_at
from metering.prices.services import import_prices, set_price
from standin.faults import Faults
from standin.pricing import ListPrice, Pricing
from standin.server import StandIn
from tests.metering.clock import Clock
from tests.standin.deployment import running_standin

HOSTING = Wanted(service="hosting", item="ml.g5.2xlarge", region="eu-west-1")
TRAINING = Wanted(service="training", item="ml.g5.2xlarge", region="eu-west-1")
STORAGE = Wanted(service="storage", item="STANDARD", region="eu-west-1")
NOWHERE = Wanted(service="hosting", item="ml.none.xlarge", region="eu-west-1")


class PriceListContract:
    """What every price list has to do."""

    def test_hosting_training_and_storage_have_prices_of_their_own(self, prices: PriceList) -> None:
        found = {price.wanted: price for price in prices.prices([HOSTING, TRAINING, STORAGE])}
        assert found.keys() == {HOSTING, TRAINING, STORAGE}
        for price in found.values():
            assert 0 < price.amount < 1000
            assert price.currency == "USD"
            assert dt.datetime(2015, 1, 1, tzinfo=dt.UTC) < price.effective_from < dt.datetime.now(dt.UTC)
            assert price.reference

    def test_what_is_not_listed_is_left_out(self, prices: PriceList) -> None:
        assert prices.prices([NOWHERE]) == []
        assert prices.prices([]) == []

    def test_an_unknown_option_raises(self, prices: PriceList) -> None:
        with pytest.raises(ValueError, match="SPEED"):
            type(prices)("default", {"SPEED": 1})


@pytest.mark.skipif(os.environ.get("AWS_LIVE") != "1", reason="needs AWS_LIVE=1 and credentials")
class TestAws(PriceListContract):
    @pytest.fixture
    def prices(self) -> PriceList:
        return AwsPriceList("default", {})


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_standin(Path(tmp_path_factory.mktemp("containers"))) as standin:
        yield standin


@pytest.fixture
def standin(running: StandIn) -> StandIn:
    """With its own prices and without faults."""
    running.pricing, running.faults = Pricing(), Faults()
    return running


@pytest.fixture
def prices(standin: StandIn) -> AwsPriceList:
    return AwsPriceList("default", {"ENDPOINT_URL": standin.url})


@pytest.mark.slow
class TestStandIn(PriceListContract):
    @pytest.fixture
    def prices(self, prices: AwsPriceList) -> PriceList:
        return prices

    def test_neither_tiers_nor_plans_nor_other_products_count(self, prices: AwsPriceList) -> None:
        [hosting] = prices.prices([HOSTING])
        assert (hosting.amount, hosting.effective_from) == (
            Decimal("1.2"),
            dt.datetime(2026, 8, 1, tzinfo=dt.UTC),
        )
        assert hosting.reference.startswith("EUW1-Host:ml.g5.2xlarge, SKU ")
        [training] = prices.prices([TRAINING])
        assert training.amount == Decimal("1.02")

    @pytest.mark.parametrize(
        ("storage_class", "region", "amount", "usage"),
        [
            ("STANDARD", "eu-west-1", "0.031", "EUW1-TimedStorage-ByteHrs"),
            ("STANDARD", "us-east-1", "0.031", "TimedStorage-ByteHrs"),
            ("STANDARD_IA", "eu-west-1", "0.017", "EUW1-TimedStorage-SIA-ByteHrs"),
            ("DEEP_ARCHIVE", "us-east-1", "0.0013", "TimedStorage-GDA-ByteHrs"),
        ],
    )
    def test_storage_costs_what_the_first_tier_does(
        self, prices: AwsPriceList, storage_class: str, region: str, amount: str, usage: str
    ) -> None:
        [found] = prices.prices([Wanted(service="storage", item=storage_class, region=region)])
        assert (found.amount, found.currency) == (Decimal(amount), "USD")
        assert found.reference.startswith(f"{usage}, SKU ")

    @pytest.mark.parametrize("storage_class", ["INTELLIGENT_TIERING", "OUTPOSTS", "ONEZONE_IA", ".*", ""])
    def test_a_class_without_a_single_price_has_none(self, prices: AwsPriceList, storage_class: str) -> None:
        assert prices.prices([Wanted(service="storage", item=storage_class, region="eu-west-1")]) == []

    def test_all_pages_are_read(self, prices: AwsPriceList, standin: StandIn) -> None:
        standin.pricing.page_size = 1
        assert len(prices.prices([HOSTING, TRAINING])) == 2
        assert len(standin.pricing.requests) == 4

    def test_one_with_several_prices_has_none(self, prices: AwsPriceList, standin: StandIn) -> None:
        # AWS compares terms without regard to case, so both are answered.
        standin.pricing.prices["ml.G5.2xlarge"] = ListPrice(hosting="9", training="9")
        assert prices.prices([HOSTING])[0].amount == Decimal("1.2")
        standin.pricing.twice = True
        assert prices.prices([HOSTING]) == []

    @pytest.mark.parametrize("amount", ["NaN", "-1", "one", "Infinity"])
    def test_what_is_no_price_is_refused(self, prices: AwsPriceList, standin: StandIn, amount: str) -> None:
        standin.pricing.prices["ml.g5.2xlarge"] = ListPrice(hosting=amount, training="1")
        with pytest.raises(PriceListError) as refused:
            prices.prices([HOSTING])
        assert refused.value.code == "price_list:unreadable"

    def test_a_document_that_is_cut_off_is_refused(self, prices: AwsPriceList, standin: StandIn) -> None:
        standin.pricing.broken = True
        with pytest.raises(PriceListError) as refused:
            prices.prices([HOSTING])
        assert refused.value.code == "price_list:unreadable"

    def test_errors_say_what_to_do(self, standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
        # Without the waits between tries.
        monkeypatch.setattr("metering.backends.pricing.CLIENT", Config(retries={"total_max_attempts": 1}))
        prices = AwsPriceList("default", {"ENDPOINT_URL": standin.url})
        standin.faults.throttled = 1.0
        with pytest.raises(PriceListError, match="Try again in a minute") as throttled:
            prices.prices([HOSTING])
        assert throttled.value.temporary
        standin.faults.throttled = 0.0
        standin.faults.denied.add("pricing")
        with pytest.raises(PriceListError, match="pricing:GetProducts") as denied:
            prices.prices([HOSTING])
        assert not denied.value.temporary
        standin.faults.away.add("pricing")
        with pytest.raises(PriceListError, match="can’t be reached") as away:
            prices.prices([HOSTING])
        assert away.value.temporary

    def test_throttling_for_a_moment_is_waited_out(self, prices: AwsPriceList, standin: StandIn) -> None:
        standin.faults.throttled = 0.4
        for _ in range(3):
            assert len(prices.prices([HOSTING])) == 1


@pytest.mark.slow
class TestStrictness:
    """The stand-in refuses what AWS refuses."""

    @pytest.fixture
    def aws(self, standin: StandIn) -> Any:
        return self.client(standin, "us-east-1")

    def client(self, standin: StandIn, region: str) -> Any:
        make: Any = boto3.client
        careless = Config(parameter_validation=False, retries={"total_max_attempts": 1})
        return make("pricing", endpoint_url=standin.url, region_name=region, config=careless)

    @pytest.mark.parametrize(
        ("request_", "code"),
        [
            ({"ServiceCode": None}, "InvalidParameterException"),
            ({"ServiceCode": "AmazonSagemaker"}, "InvalidParameterException"),
            ({"MaxResults": 101}, "InvalidParameterException"),
            ({"FormatVersion": "aws_v2"}, "InvalidParameterException"),
            ({"Filters": [{"Type": "TERM_MATCH", "Field": "instance", "Value": "x"}]}, "InvalidParameterException"),
            ({"Filters": [{"Type": "LIKE", "Field": "regionCode", "Value": "x"}]}, "InvalidParameterException"),
            ({"Filters": [{"Type": "TERM_MATCH", "Field": "regionCode"}]}, "InvalidParameterException"),
            ({"NextToken": "1:0123456789abcdef"}, "InvalidNextTokenException"),
        ],
    )
    def test_a_request_that_breaks_a_rule_is_refused(self, aws: Any, request_: dict[str, Any], code: str) -> None:
        with pytest.raises(ClientError) as refused:
            aws.get_products(**{"ServiceCode": "AmazonSageMaker", **request_})
        assert refused.value.response["Error"]["Code"] == code

    def test_a_token_is_of_one_question(self, aws: Any) -> None:
        token = aws.get_products(ServiceCode="AmazonSageMaker", MaxResults=1)["NextToken"]
        assert aws.get_products(ServiceCode="AmazonSageMaker", MaxResults=1, NextToken=token)["PriceList"]
        with pytest.raises(ClientError, match="pagination token"):
            aws.get_products(ServiceCode="AmazonSageMaker", MaxResults=2, NextToken=token)

    def test_only_some_regions_have_it(self, standin: StandIn) -> None:
        for region in ("us-east-1", "eu-central-1", "ap-south-1"):
            assert self.client(standin, region).get_products(ServiceCode="AmazonSageMaker")["PriceList"]
        with pytest.raises((HTTPClientError, EndpointConnectionError)):
            self.client(standin, "eu-west-1").get_products(ServiceCode="AmazonSageMaker")


def test_its_region_must_have_the_api(settings: Settings) -> None:
    with pytest.raises(ValueError, match="us-east-1, eu-central-1, ap-south-1"):
        AwsPriceList("default", {"REGION": "eu-west-1"})
    entry = {"BACKEND": "metering.backends.pricing.AwsPriceList", "OPTIONS": {"REGION": "eu-west-1"}}
    settings.PRICE_LISTS = {"default": entry}
    [error] = check_backends(None)
    assert "PRICE_LISTS['default']" in str(error.msg)


@pytest.mark.slow
@pytest.mark.django_db
class TestImport:
    ITEMS = (
        Item(service=Service.HOSTING, item="ml.g5.2xlarge", region="eu-west-1"),
        Item(service=Service.TRAINING, item="ml.g6e.xlarge", region="eu-west-1"),
    )

    @pytest.fixture(autouse=True)
    def listed(self, settings: Settings, standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
        entry = {"BACKEND": "metering.backends.pricing.AwsPriceList", "OPTIONS": {"ENDPOINT_URL": standin.url}}
        settings.PRICE_LISTS = {"default": entry}
        monkeypatch.setattr(price_lists, "built", {})

    def test_twice_is_once(self, clock: Clock) -> None:
        first = import_prices(items=self.ITEMS)
        assert ([row.amount for row in first.added], first.unchanged) == ([Decimal("1.2"), Decimal("2.03")], 0)
        rows = set(Price.objects.values_list("id", flat=True))
        again = import_prices(items=self.ITEMS)
        assert (again.added, again.unchanged) == ([], 2)
        assert set(Price.objects.values_list("id", flat=True)) == rows
        row = Price.objects.get(service="hosting")
        assert (row.source, row.unit, row.currency, row.recorded_by) == ("aws", "hour", "USD", None)
        assert row.valid_from == dt.datetime(2026, 8, 1, tzinfo=dt.UTC)
        assert row.recorded_at == clock.now
        assert row.note.startswith("EUW1-Host:ml.g5.2xlarge")

    def test_a_change_counts_from_when_it_was_read(self, clock: Clock, standin: StandIn) -> None:
        import_prices(items=self.ITEMS[:1])
        changed = clock.set(2026, 9, 20)
        for amount, effective in (("1.3", "2026-09-10T00:00:00Z"), ("1.2", "2026-08-01T00:00:00Z")):
            standin.pricing.prices["ml.g5.2xlarge"] = ListPrice(hosting=amount, training="1", effective=effective)
            assert len(import_prices(items=self.ITEMS[:1]).added) == 1
            assert import_prices(items=self.ITEMS[:1]).unchanged == 1
            assert self.at(clock.now) == Decimal(amount)
            clock.now += dt.timedelta(days=1)
        assert self.at(dt.datetime(2026, 9, 15, tzinfo=dt.UTC)) == Decimal("1.2")
        assert self.at(changed) == Decimal("1.3")
        assert self.at(dt.datetime(2026, 7, 31, tzinfo=dt.UTC)) is None

    def test_a_price_by_hand_stays(self, clock: Clock) -> None:
        set_price(
            service="hosting", item="ml.g5.2xlarge", amount=Decimal(1), currency="USD", note="", set_by=None
        )  # fmt: skip
        import_prices(items=self.ITEMS)
        assert self.at(clock.now) == 1

    def test_a_gb_month_of_storage(self, clock: Clock) -> None:
        [row] = import_prices(items=[Item(service=Service.STORAGE, item="STANDARD", region="eu-west-1")]).added
        assert (row.amount, row.unit, row.source) == (Decimal("0.031"), "gb_month", "aws")

    def test_it_says_what_is_missing(self, clock: Clock) -> None:
        nowhere = Item(service=Service.HOSTING, item="ml.none.xlarge", region="eu-west-1")
        found = import_prices(items=[*self.ITEMS, nowhere])
        assert (len(found.added), found.missing) == (2, [nowhere])

    def test_a_price_beyond_any_reason_is_missing(self, clock: Clock, standin: StandIn) -> None:
        standin.pricing.prices["ml.g5.2xlarge"] = ListPrice(hosting="123456789", training="1")
        assert import_prices(items=self.ITEMS[:1]).missing == [self.ITEMS[0]]

    def test_a_site_without_a_list_says_so(self, settings: Settings) -> None:
        settings.PRICE_LISTS = {}
        with pytest.raises(PriceListError) as refused:
            import_prices(items=self.ITEMS)
        assert refused.value.code == "price_list:none"

    def at(self, moment: dt.datetime) -> Decimal | None:
        found = price_at(service=Service.HOSTING, item="ml.g5.2xlarge", region="eu-west-1", at=moment)
        return found.amount if found else None
