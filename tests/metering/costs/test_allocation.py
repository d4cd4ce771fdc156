"""An endpoint's hour is shared by use; used, idle and the operator's part sum to what it cost."""

import datetime as dt
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from adapters.models import AdapterVersion
from lorakit.contracts import InvocationRecord
from metering.costs import allocation
from metering.costs.allocation import allocate_due, allocate_hour
from metering.ledger.rebuilding import rebuild_month
from metering.models import EndpointHour, HourlyUsage, IdlePolicy, Method, UsageTotal
from metering.usage.ranges import HOUR
from serving.backends import endpoints
from tenants.models import Tenant
from tenants.scope import system_scope
from tests.metering.conftest import NOON
from tests.metering.ledger.test_collector import _is_sum, covers, stored_rows, value_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("dollar_endpoint")]
Record = Callable[..., InvocationRecord]


def measured(hour: dt.datetime = NOON, *, ms: int = 3_600_000, instances: int = 1) -> EndpointHour:
    return EndpointHour.objects.create(
        endpoint="shared", hour=hour, up_ms=ms, instance_ms=ms * instances, measured_until=hour + HOUR
    )


@pytest.fixture
def asked(record: Record, write: Callable[..., Path], folder: Path) -> Callable[..., InvocationRecord]:
    """Records of the hour, each with what the engine told."""

    def make(**changes: object) -> InvocationRecord:
        plain = {"at": NOON.timestamp() + 60, "endpoint": "shared", "queue_ms": 1.0, "key_id": "", "busy_ms": 1000.0}
        return record(**{**plain, **changes})

    return make


def costs() -> dict[tuple[str, str], tuple[int, int, int]]:
    """Used, idle and without a price, by model and tenant."""
    with system_scope():
        rows = HourlyUsage.objects.select_related("tenant")
        return {(row.tenant.slug, row.alias): (row.used_micros, row.idle_micros, row.unpriced) for row in rows}


def check_sums(hour: dt.datetime = NOON) -> EndpointHour:
    """The identity, in the hour and in everything that is made of it."""
    row = EndpointHour.objects.get(endpoint="shared", hour=hour)
    with system_scope():
        lines = list(HourlyUsage.objects.all())
        of_hour = [line for line in lines if line.hour == hour and line.endpoint == "shared"]
        for total in UsageTotal.objects.all():
            parts = [line for line in lines if line.tenant_id == total.tenant_id and covers(total, line.hour)]
            _is_sum(total, [line for line in parts if value_of(line, total.by) == total.value])
    assert sum(line.used_micros for line in of_hour) == row.used_micros
    assert sum(line.idle_micros for line in of_hour) == row.idle_micros
    assert row.used_micros + row.idle_micros + row.operator_micros == (row.micros or 0)
    return row


def test_use_is_shared_by_the_engines_own_time_and_the_operator_bears_the_rest(
    asked: Record, count: Callable[..., int], tenant: Tenant, other_tenant: Tenant
) -> None:
    measured()
    count(asked(alias="a"), asked(alias="b", busy_ms=2000.0), asked(tenant_id=str(other_tenant.id), busy_ms=3000.0))
    assert {line[2] for line in costs().values()} == {1}
    assert allocate_due() == 1
    # A second of an hour that costs a dollar.
    assert costs() == {
        (tenant.slug, "a"): (278, 0, 0), (tenant.slug, "b"): (555, 0, 0), (other_tenant.slug, "legal"): (833, 0, 0)
    }  # fmt: skip
    row = check_sums()
    assert (row.micros, row.operator_micros, row.method) == (1_000_000, 998_334, Method.STEPS)
    assert (row.price_source, row.idle_policy) == ("a quote", IdlePolicy.OPERATOR)


def test_sharing_again_changes_nothing_and_late_requests_share_anew(asked: Record, count: Callable[..., int]) -> None:
    measured()
    count(asked(alias="a"), asked(alias="b"))
    allocate_due()
    before = stored_rows()
    assert allocate_due() == 0
    allocate_hour("shared", NOON)
    assert stored_rows() == before
    count(asked(alias="a", busy_ms=3_600_000.0))
    assert allocate_due() == 1
    row = check_sums()
    assert (row.used_micros, row.operator_micros) == (1_000_000, 0)
    assert {alias: used for (_, alias), (used, _, _) in costs().items()} == {"a": 999_722, "b": 278}


@pytest.mark.parametrize(("policy", "idle"), [("use", [250_000, 750_000]), ("equally", [500_000, 500_000])])
def test_idle_time_is_shared_by_the_policy(
    asked: Record, count: Callable[..., int], settings: Settings, policy: str, idle: list[int],
    tenant: Tenant, other_tenant: Tenant, hold: Callable[..., AdapterVersion],
) -> None:  # fmt: skip
    settings.IDLE_COST_POLICY = policy
    measured()
    for owner, name, busy in ((tenant, "a", 1.0), (other_tenant, "b", 3.0)):
        version = hold(owner, name)
        count(asked(tenant_id=str(version.tenant_id), alias=name, version_id=str(version.id), busy_ms=busy))
    allocate_due()
    row = check_sums()
    assert row.operator_micros == 0
    found = [line for (_, alias), line in sorted(costs().items(), key=lambda one: one[0][1])]
    assert [line[1] for line in found] == pytest.approx(idle, abs=2)


def test_an_adapter_that_nobody_asked_bears_its_part_of_idle_time(
    settings: Settings, tenant: Tenant, hold: Callable[..., AdapterVersion]
) -> None:
    settings.IDLE_COST_POLICY = "equally"
    measured(ms=1_800_000)
    hold(tenant, "a")
    allocate_due()
    assert costs() == {(tenant.slug, "a"): (0, 500_000, 0)}
    check_sums()


def test_where_the_engine_tells_no_time_tokens_count_and_the_time_somebody_was_answered(
    asked: Record, count: Callable[..., int], settings: Settings
) -> None:
    settings.OUTPUT_TOKEN_WEIGHT = 4.0
    measured()
    at = NOON.timestamp()
    long = {"latency_ms": 1_000_000.0, "queue_ms": None}
    # Two at once, one afterwards, one that is answered in the next hour: 1,000 s and then 1,000 of 1,000 s.
    count(
        asked(at=at, alias="a", prompt_tokens=600, completion_tokens=0, **long),
        asked(at=at, alias="b", prompt_tokens=0, completion_tokens=100, **long),
        asked(at=at + 2600, alias="b", prompt_tokens=600, completion_tokens=50, cached_tokens=600, **long),
    )
    allocate_due()
    row = check_sums()
    assert row.method == Method.TOKENS
    assert row.used_micros == 2_000_000_000 // 3600
    # 600 against 400 + 200.
    assert [line[0] for _, line in sorted(costs().items())] == pytest.approx([277_778, 277_777], abs=1)


def test_an_unknown_price_is_unknown_and_filled_in_once(
    asked: Record, count: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.setattr(allocation, "hosting_price", lambda endpoint, hour: None)
        measured()
        count(asked(alias="a", busy_ms=3_600_000.0))
        allocate_due()
        assert set(costs().values()) == {(0, 0, 1)}
        assert EndpointHour.objects.get().micros is None
        assert allocate_due() == 0
    EndpointHour.objects.update(allocated_at=NOON)
    assert allocate_due() == 1
    assert set(costs().values()) == {(1_000_000, 0, 0)}
    with monkeypatch.context() as dearer:
        dearer.setattr(endpoints.built["default"], "usd_per_hour", 7.0)
        count(asked(alias="b", busy_ms=3_600_000.0))
        allocate_due()
        assert check_sums().micros == 1_000_000


def test_who_was_refused_before_any_endpoint_costs_nothing(asked: Record, count: Callable[..., int]) -> None:
    measured()
    count(asked(endpoint="", status=429, alias="a"), asked(status=503, alias="b", busy_ms=0.0, prompt_tokens=0))
    allocate_due()
    assert [line for _, line in sorted(costs().items())] == [(0, 0, 0), (0, 0, 0)]
    check_sums()


def test_an_hour_nobody_measured_waits(asked: Record, count: Callable[..., int]) -> None:
    count(asked())
    assert allocate_due() == 0
    assert {line[2] for line in costs().values()} == {1}


def test_a_rebuilt_month_has_the_same_costs(
    asked: Record, count: Callable[..., int], settings: Settings, tenant: Tenant,
    hold: Callable[..., AdapterVersion],
) -> None:  # fmt: skip
    settings.IDLE_COST_POLICY = "equally"
    hold(tenant, "idle")
    rng = random.Random(3)
    for hours in range(3):
        measured(NOON + hours * HOUR, instances=2)
        start = NOON.timestamp() + 3600 * hours
        count(
            *(
                asked(at=start + rng.random() * 3000, alias=rng.choice("abc"), busy_ms=rng.random() * 9000)
                for _ in range(20)
            )
        )
    while allocate_due():
        pass
    before = stored_rows()
    rebuild_month(dt.date(2026, 10, 1))
    assert stored_rows() != before
    while allocate_due():
        pass
    assert stored_rows() == before
    for hours in range(3):
        check_sums(NOON + hours * HOUR)


def test_a_process_that_dies_has_shared_nothing(
    asked: Record, count: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    measured()
    count(asked(alias="a"), asked(alias="b"))
    with monkeypatch.context() as patched:

        def die(self: EndpointHour, **kwargs: object) -> None:
            raise KeyboardInterrupt

        patched.setattr(EndpointHour, "save", die)
        with pytest.raises(KeyboardInterrupt):
            allocate_due()
    assert {line[2] for line in costs().values()} == {1}
    allocate_due()
    check_sums()
