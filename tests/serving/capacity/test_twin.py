"""The twin of an endpoint: tiers by use, load, and what more adapters would change for everyone."""

import math
from dataclasses import replace

import pytest
from pytest_django import DjangoAssertNumQueries

from lorakit.capacity.residency import Tier
from metering.models import HourlyUsage
from serving.capacity.questions import Verdict, Wish, answer_to
from serving.capacity.twins import Twin, twin_of
from serving.models import Endpoint
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.serving.capacity.conftest import SETUP, Hold, Use
from tests.serving.memory_endpoint import MemoryEndpoint

pytestmark = pytest.mark.django_db


def twin(endpoint: Endpoint) -> Twin:
    found = twin_of(endpoint)
    assert found is not None
    return found


def test_tiers_follow_how_often_each_adapter_is_asked(
    small: Endpoint, hold: Hold, use: Use, tenant: Tenant, other_tenant: Tenant
) -> None:
    for owner, name, seed, requests in (
        (tenant, "busy", 1, 9000), (other_tenant, "steady", 2, 900), (tenant, "rare", 3, 20), (tenant, "idle", 4, 0),
    ):  # fmt: skip
        deployment = hold(owner, name, seed)
        if requests:
            use(deployment, requests)
    found = twin(small)
    tiers = {held.deployment.version.adapter.name: held.tier for held in found.adapters}
    assert tiers == {"busy": Tier.HOT, "steady": Tier.HOT, "rare": Tier.WARM, "idle": Tier.COLD}
    # Three are asked and three fit in memory.
    assert math.isinf(found.host_seconds)
    assert 0 < found.slot_seconds < 24 * 3600
    # Nearly every request for the rare one misses, and each of these may cost others their slot.
    assert 20 < found.misses < 100


def test_usage_of_other_endpoints_and_older_days_is_no_load(
    small: Endpoint, hold: Hold, use: Use, tenant: Tenant
) -> None:
    deployment = hold(tenant, "legal", 1)
    use(deployment, 500, ago=24 * 9)
    assert twin(small).demand is None
    use(deployment, 600, ago=30)
    found = twin(small)
    assert found.adapters[0].rate == 0
    assert found.demand is not None
    assert found.demand.p95_ms == pytest.approx(200, rel=0.02)
    # 600 requests of a tenth of a second of an hour; each shares the engine with hardly anybody.
    assert found.demand.usual.busy == pytest.approx(600 * 0.1 / 3600, rel=1e-3)
    assert found.demand.rate == pytest.approx(600 / 3600)


def test_requests_for_the_base_are_load_too(small: Endpoint, hold: Hold, use: Use, tenant: Tenant) -> None:
    deployment = hold(tenant, "legal", 1)
    use(deployment, 300)
    before = twin(small).demand
    with tenant_scope(tenant.id):
        hour = HourlyUsage.objects.get().hour
        HourlyUsage.objects.create(hour=hour, alias="tiny-llama", requests=300, busy_us=300 * 100_000)
        HourlyUsage.objects.create(hour=hour, alias="other", requests=9, busy_us=10**9)
    after = twin(small).demand
    assert before is not None
    assert after is not None
    assert after.rate == pytest.approx(2 * before.rate)
    assert after.usual.busy == pytest.approx(2 * before.usual.busy, rel=1e-3)


def test_few_answers_tell_no_percentile(small: Endpoint, hold: Hold, use: Use, tenant: Tenant) -> None:
    use(hold(tenant, "legal", 1), 99)
    found = twin(small)
    assert found.demand is not None
    assert found.demand.p95_ms is None


def test_several_engines_share_the_requests(
    small: Endpoint, memory: MemoryEndpoint, hold: Hold, use: Use, tenant: Tenant
) -> None:
    use(hold(tenant, "legal", 1), 7200)
    alone = twin(small).demand
    memory.engines = 4
    shared = twin(small).demand
    assert alone is not None
    assert shared is not None
    assert shared.usual.busy == pytest.approx(alone.usual.busy / 4, rel=1e-3)
    assert shared.rate == pytest.approx(alone.rate / 4)


def test_another_engine_s_time_is_how_long_it_answered(
    small: Endpoint, memory: MemoryEndpoint, hold: Hold, use: Use, tenant: Tenant
) -> None:
    memory.set_up = replace(SETUP, engine="vllm")
    use(hold(tenant, "legal", 1), 3600, busy_ms=2500.0)
    demand = twin(small).demand
    assert demand is not None
    assert demand.usual.requests == pytest.approx(2.5, rel=1e-3)


def test_what_nobody_knows_has_no_twin(small: Endpoint, memory: MemoryEndpoint) -> None:
    memory.set_up = None
    assert twin_of(small) is None
    memory.set_up = SETUP
    small.base_model.location = "/nowhere"
    assert twin_of(small) is None


def test_many_adapters_cost_no_more_queries(
    small: Endpoint, hold: Hold, use: Use, tenant: Tenant, other_tenant: Tenant,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    for seed in range(1, 7):
        use(hold(tenant if seed % 2 else other_tenant, f"a{seed}", seed), 10 * seed)
    with django_assert_max_num_queries(8):
        assert len(twin(small).adapters) == 6


def test_an_adapter_that_fits_changes_nothing_but_the_load(
    small: Endpoint, hold: Hold, use: Use, tenant: Tenant
) -> None:
    use(hold(tenant, "legal", 1), 3600)
    found = twin(small)
    answer = answer_to(found, Wish(adapters=1, rank=16, an_hour=36))
    assert answer.verdict is Verdict.FITS
    assert (answer.before.held, answer.after.held) == (1, 2)
    assert (answer.before.misses, answer.after.misses) == (0, 0)
    assert answer.tier is Tier.HOT
    assert found.demand is not None
    assert answer.after.demand is not None
    assert answer.after.demand.usual.work == pytest.approx(found.demand.usual.work * 1.01)
    assert answer.after.demand.p95_ms is not None
    assert 198 < answer.after.demand.p95_ms < 200


def test_more_than_there_are_slots_take_turns(small: Endpoint, hold: Hold, use: Use, tenant: Tenant) -> None:
    use(hold(tenant, "legal", 1), 600)
    use(hold(tenant, "tickets", 2), 600)
    answer = answer_to(twin(small), Wish(adapters=3, rank=16, an_hour=2))
    assert answer.verdict is Verdict.TURNS
    assert answer.after.misses > 100
    # Two slots for two busy ones: three more that are asked twice an hour are never there, and rarely in memory.
    assert answer.tier is Tier.COLD


def test_more_work_makes_everyone_wait_or_is_too_much(small: Endpoint, hold: Hold, use: Use, tenant: Tenant) -> None:
    use(hold(tenant, "legal", 1), 20_000)
    found = twin(small)
    assert found.demand is not None
    slower = answer_to(found, Wish(adapters=1, rank=16, an_hour=60_000))
    assert slower.verdict is Verdict.SLOWER
    assert slower.after.demand is not None
    assert slower.after.demand.p95_ms is not None
    assert slower.after.demand.p95_ms > 250
    too_much = answer_to(found, Wish(adapters=10, rank=16, an_hour=60_000))
    assert too_much.verdict is Verdict.TOO_MUCH
    assert too_much.after.demand is not None
    assert too_much.after.demand.p95_ms is None


def test_a_rank_above_the_highest_is_refused_with_what_it_would_take(small: Endpoint) -> None:
    found = twin(small)
    answer = answer_to(found, Wish(adapters=1, rank=64, an_hour=1))
    assert answer.verdict is Verdict.REFUSED
    assert answer.higher is not None
    assert answer.higher.slots == 2 * found.plan.slots
