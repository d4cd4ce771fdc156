"""A judge on Bedrock without a price of its own costs what the book says of its model, at the time of the call."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum
from pytest_django import Settings

from evaluations.judges.backends.bedrock import BedrockJudge
from evaluations.judges.services import create_judge, try_judge
from evaluations.judging.jurors import juror_of
from evaluations.models import Judge, JudgeUsage
from evaluations.qualification.estimate import estimate_of
from metering.backends.bedrock_products import name_of
from metering.backends.price_lists import PriceList, Wanted, price_lists
from metering.backends.pricing import AwsPriceList
from metering.costs.judging import COUNTED
from metering.models import Price, PriceSource
from metering.prices.in_use import importable, in_use
from metering.prices.services import import_prices, set_price
from standin.bedrock import ModelAnswer
from standin.pricing import Pricing, TokenPrice
from standin.server import StandIn
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.metering.clock import Clock
from tests.standin.deployment import running_standin

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
MODEL, REGION = "eu.amazon.nova-lite-v1:0", "eu-west-1"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_standin(tmp_path_factory.mktemp("containers")) as standin:
        yield standin


@pytest.fixture
def prices(running: StandIn, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> PriceList:
    running.pricing = Pricing()
    running.bedrock.models[MODEL] = lambda request: ModelAnswer(text="I would rather not say.")
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", running.url)
    listed = AwsPriceList("default", {"ENDPOINT_URL": running.url})
    settings.PRICE_LISTS = {"default": {}}
    monkeypatch.setattr(price_lists, "built", {"default": listed})
    return listed


@pytest.fixture
def judge(in_tenant: Tenant, prices: PriceList) -> Judge:
    return create_judge(tenant=in_tenant, secret="bedrock-key", name="Nova", kind="bedrock", model=MODEL, region=REGION)


def wanted(service: str, model: str = MODEL, region: str = REGION) -> Wanted:
    return Wanted(service=service, item=model, region=region)


def by_hand(read: str, written: str, **changes: Any) -> None:
    for service, amount in (("judge_input", read), ("judge_output", written)):
        plain = {"item": MODEL, "region": REGION, "currency": "USD", "set_by": None}
        set_price(**{**plain, "service": service, "amount": Decimal(amount), **changes})


def sources() -> list[str]:
    return list(JudgeUsage.objects.order_by("price_source").values_list("price_source", flat=True))


def usage() -> JudgeUsage:
    """All calls together."""
    found = JudgeUsage.objects.aggregate(**{name: Sum(name) for name in COUNTED})
    return JudgeUsage(**found)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("amazon.nova-lite-v1:0", "novalite"), ("eu.amazon.nova-2-lite-v1:0", "nova2lite"),
        ("openai.gpt-oss-120b-1:0", ""), ("meta.llama3-3-70b-instruct-v1:0", "llama3370binstruct"),
        # A global profile has prices of its own, and an address says no name.
        ("global.amazon.nova-2-lite-v1:0", ""), ("arn:aws:bedrock:eu-west-1:1:inference-profile/x", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_model_is_known_by_its_id(model: str, name: str) -> None:
    assert name_of(model) == name


def test_the_list_has_tokens_by_the_million(prices: PriceList, running: StandIn) -> None:
    found = {one.wanted.service: one for one in prices.prices([wanted("judge_input"), wanted("judge_output")])}
    assert {name: one.amount for name, one in found.items()} == {
        "judge_input": Decimal("0.071"), "judge_output": Decimal("0.284"),
    }  # fmt: skip
    assert found["judge_input"].reference.startswith("EUW1-NovaLite-input-tokens, SKU ")
    assert found["judge_input"].effective_from == dt.datetime(2026, 7, 1, tzinfo=dt.UTC)
    assert len(running.pricing.requests) == 1


def test_nothing_is_guessed(prices: PriceList, running: StandIn) -> None:
    for other in ("anthropic.claude-x-v1:0", "global.amazon.nova-lite-v1:0", "amazon.nova-lite-2-v1:0"):
        assert prices.prices([wanted("judge_input", other)]) == []
    assert prices.prices([wanted("judge_input", region="eu-north-1")]) == []
    # Two prices of one model are none.
    running.pricing.models["nova lite"] = TokenPrice(input="0.5", output="0.5")
    assert prices.prices([wanted("judge_input")]) == []


def test_an_import_has_the_prices_of_judges_without_their_own(judge: Judge, prices: PriceList) -> None:
    with tenant_scope(judge.tenant_id):
        create_judge(tenant=judge.tenant, name="Own", kind="bedrock", model="x.y-v1:0", region=REGION,
                     price_in=Decimal(1), price_out=Decimal(2))  # fmt: skip
    items = [one for one in importable(one.item for one in in_use()) if one.service.value.startswith("judge")]
    assert {(one.service.value, one.item, one.region) for one in items} == {
        ("judge_input", MODEL, REGION), ("judge_output", MODEL, REGION),
    }  # fmt: skip
    result = import_prices(items=items)
    assert (len(result.added), list(result.missing)) == (2, [])
    assert import_prices(items=items).unchanged == 2
    assert set(Price.objects.values_list("source", "unit")) == {(PriceSource.AWS, "million_tokens")}


def test_a_call_costs_the_price_of_its_time_and_keeps_it(judge: Judge, clock: Clock) -> None:
    try_judge(judge=judge)
    before = usage()
    assert (before.calls, before.calls_without_price, before.usd) == (1, 1, Decimal(0))
    assert estimate_of(judge).usd is None
    by_hand("100", "1000")
    clock.set(2026, 9, 1, 10, 30)
    assert estimate_of(judge).usd is not None
    assert usage().usd == 0
    try_judge(judge=judge)
    assert sources() == ["", "Set by your site’s operator on 1 Sep 2026"]
    after = usage()
    read, written = after.tokens_in - before.tokens_in, after.tokens_out - before.tokens_out
    cost = (Decimal(read) * 100 + Decimal(written) * 1000) / 1_000_000
    assert (after.calls_without_price, after.usd) == (1, cost)
    clock.set(2026, 9, 1, 10, 40)
    by_hand("7", "7")
    clock.set(2026, 9, 1, 10, 50)
    assert usage().usd == cost
    try_judge(judge=judge)
    assert usage().usd == cost + Decimal(7 * (read + written)) / 1_000_000


def test_a_judge_that_is_kept_gets_the_new_price(judge: Judge, clock: Clock) -> None:
    by_hand("1", "2")
    clock.set(2026, 9, 1, 10, 30)
    assert juror_of(judge).price.per_million_in == 1
    clock.set(2026, 9, 1, 10, 40)
    by_hand("3", "4")
    clock.set(2026, 9, 1, 10, 50)
    found = juror_of(judge)
    assert (found.price.per_million_in, found.caller.judge.price.per_million_out) == (Decimal(3), Decimal(4))


def test_its_own_price_and_half_a_price(judge: Judge) -> None:
    set_price(service="judge_input", item=MODEL, region=REGION, amount=Decimal(1), currency="USD", set_by=None)
    # Without the other half a cost can't be known.
    assert juror_of(judge).price.is_unset
    set_price(service="judge_output", item=MODEL, region=REGION, amount=Decimal(1), currency="EUR", set_by=None)
    assert juror_of(judge).price.is_unset
    own = BedrockJudge("own", {"MODEL": MODEL, "REGION": REGION, "PRICE_IN": Decimal(9), "PRICE_OUT": Decimal(9)})
    assert own.own_price.per_million_in == 9
