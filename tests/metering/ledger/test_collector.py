"""Each line of a ledger is counted exactly once, whatever dies in between."""

import datetime as dt
import os
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from lorakit.contracts import InvocationRecord
from metering.ledger import collector
from metering.ledger.collector import collect
from metering.ledger.invocations import Row
from metering.ledger.months import month_of, next_month, prepare_months, present_months
from metering.ledger.rebuilding import rebuild_month
from metering.ledger.rollup import add_to_roll_ups
from metering.ledger.sketches import merged, quantiles, size_of
from metering.models import By, Grain, HourlyUsage, Invocation, LedgerFile, RollUp, UsageTotal
from serving.gateway.ledger import Ledger
from tenants.models import Tenant
from tenants.scope import system_scope, tenant_scope
from tests.metering.conftest import at

pytestmark = pytest.mark.django_db
Record = Callable[..., InvocationRecord]
Write = Callable[..., Path]


def totals() -> tuple[int, int]:
    """(invocations, requests counted in the hours)."""
    with system_scope():
        return Invocation.objects.count(), sum(HourlyUsage.objects.values_list("requests", flat=True))


def test_lines_are_counted_once(record: Record, write: Write, folder: Path) -> None:
    write(record(), record(status=404, error_code="model_not_found"))
    assert collect(folder) == 2
    assert collect(folder) == 0
    write(record())
    assert collect(folder) == 1
    assert totals() == (3, 3)


def test_a_line_that_is_still_being_written_is_left(record: Record, write: Write, folder: Path) -> None:
    path = write(record())
    half = record().to_json().encode()
    with path.open("ab") as file:
        file.write(half[:40])
    assert collect(folder) == 1
    with path.open("ab") as file:
        file.write(half[40:] + b"\n")
    assert collect(folder) == 1
    assert totals() == (2, 2)


@pytest.mark.parametrize(
    "broken",
    [
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"request_id": "x"}',
        b"x" * 5000,
        b'{"a": ' * 2000,
    ],
)
def test_a_broken_line_is_skipped_and_counted(record: Record, write: Write, folder: Path, broken: bytes) -> None:
    path = write(record())
    with path.open("ab") as file:
        file.write(broken + b"\n")
    write(record())
    assert collect(folder) == 2
    assert LedgerFile.objects.get().broken_lines == 1


@pytest.mark.parametrize(
    "change",
    [
        {"tenant_id": "nobody"},
        {"tenant_id": "2f1c3f0e-9f3e-4f6e-8f5e-0c6a3b1d2e4f"},
        {"request_id": "r" * 41},
        {"alias": "a" * 81},
        {"status": -1},
        {"at": 1e300},
        {"version_id": "v1"},
        {"alias": "nul\0"},
        {"deployment": "d" * 64},
        {"completion_tokens": 2**31},
    ],
    ids=str,
)
def test_a_record_that_no_row_can_hold_is_skipped(
    record: Record, write: Write, folder: Path, change: dict[str, object]
) -> None:
    write(record(**change), record())
    assert collect(folder) == 1
    assert LedgerFile.objects.get().broken_lines == 1


def test_a_collector_that_dies_before_its_commit_has_counted_nothing(
    record: Record, write: Write, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(record(), record())
    with monkeypatch.context() as patched:

        def die(self: LedgerFile, **kwargs: object) -> None:
            raise KeyboardInterrupt

        patched.setattr(LedgerFile, "save", die)
        with pytest.raises(KeyboardInterrupt):
            collect(folder)
    assert totals() == (0, 0)
    assert collect(folder) == 2
    assert totals() == (2, 2)


def test_a_collector_that_dies_between_two_batches_goes_on_there(
    record: Record, write: Write, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(*(record() for _ in range(10)))
    monkeypatch.setattr(collector, "BATCH_BYTES", 1500)
    batches = iter(range(100))
    with monkeypatch.context() as patched:

        def die_at_third(rows: Sequence[Row]) -> None:
            if next(batches) == 2:
                raise KeyboardInterrupt
            add(rows)

        add = add_to_roll_ups
        patched.setattr(collector, "add_to_roll_ups", die_at_third)
        with pytest.raises(KeyboardInterrupt):
            collect(folder)
    counted, in_hours = totals()
    assert 0 < counted == in_hours < 10
    collect(folder)
    assert totals() == (10, 10)


def test_a_copied_ledger_counts_nothing_twice(record: Record, write: Write, folder: Path) -> None:
    one = record()
    write(one, one)
    write(one, name="copy.jsonl")
    collect(folder)
    assert totals() == (1, 1)


def test_a_line_without_end_does_not_stop_the_others(
    record: Record, write: Write, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector, "BATCH_BYTES", 1000)
    path = folder / "gateway-1.jsonl"
    path.write_bytes(b"x" * 2500 + b"\n")
    write(record())
    collect(folder)
    assert totals() == (1, 1)
    assert LedgerFile.objects.get(name=path.name).broken_lines >= 1


def test_rows_belong_to_the_tenant_of_their_key(
    record: Record, write: Write, folder: Path, tenant: Tenant, other_tenant: Tenant
) -> None:
    write(record(), record(tenant_id=str(other_tenant.id)), record(tenant_id=str(other_tenant.id)))
    collect(folder)
    with tenant_scope(tenant.id):
        assert Invocation.objects.count() == 1
    with tenant_scope(other_tenant.id):
        assert sum(HourlyUsage.objects.values_list("requests", flat=True)) == 2


def test_a_finished_file_is_deleted_a_day_after_its_last_line(record: Record, write: Write, folder: Path) -> None:
    old, young = write(record(), name="old.jsonl"), write(record(), name="young.jsonl")
    yesterday = time.time() - 90_000
    os.utime(old, (yesterday, yesterday))
    collect(folder)
    assert not old.exists()
    assert young.exists()
    assert list(LedgerFile.objects.values_list("name", flat=True)) == ["young.jsonl"]
    assert totals() == (2, 2)


def test_a_file_that_is_still_open_is_never_deleted(record: Record, folder: Path) -> None:
    ledger = Ledger(folder, writer="gateway")
    ledger.append(record())
    [path] = folder.iterdir()
    os.utime(path, (1, 1))
    collect(folder)
    assert path.exists()
    ledger.close()
    os.utime(path, (1, 1))
    collect(folder)
    assert not path.exists()


def test_no_ledger_yet_is_fine(tmp_path: Path) -> None:
    assert collect(tmp_path / "nothing") == 0


def test_a_batch_of_many_tenants_takes_as_many_statements_as_one_of_few(
    record: Record, write: Write, folder: Path, django_assert_max_num_queries: Callable[..., object]
) -> None:
    with system_scope():
        tenants = Tenant.objects.bulk_create(Tenant(slug=f"t-{number}", name="T") for number in range(30))
    write(*(record(tenant_id=str(t.id), alias=f"a-{number}") for t in tenants for number in range(4)))
    with django_assert_max_num_queries(20):  # type: ignore[attr-defined]
        assert collect(folder) == 120
    assert totals() == (120, 120)


@pytest.mark.parametrize("change", [{"at": 4e9}, {"at": 1.0}, {"endpoint": "e" * 51}], ids=str)
def test_the_future_and_months_that_are_gone_are_not_counted(
    record: Record, write: Write, folder: Path, change: dict[str, object]
) -> None:
    write(record(**change), record())
    assert collect(folder) == 1
    assert totals() == (1, 1)
    assert LedgerFile.objects.get().broken_lines == 1


def test_errors_are_counted_by_kind(record: Record, write: Write, folder: Path) -> None:
    write(*(record(status=status, busy_ms=1.5, key_id="") for status in (200, 400, 404, 429, 499, 500, 502, 503)))
    collect(folder)
    with system_scope():
        row = HourlyUsage.objects.get()
    assert (row.requests, row.refused, row.limited, row.disconnected, row.failed) == (8, 2, 1, 1, 3)
    assert row.busy_us == 12_000
    assert size_of([row.latency_sketch]) == 1


def test_what_the_endpoint_tells_is_counted(record: Record, write: Write, folder: Path) -> None:
    told = {"endpoint": "shared", "queue_ms": 12.5, "cached_tokens": 8, "cold_start": True, "first_token_ms": 40.0}
    write(record(**told, key_id=""), record(endpoint="shared", streamed=True, key_id=""))
    collect(folder)
    with system_scope():
        row = HourlyUsage.objects.get()
        one = Invocation.objects.get(cold_start=True)
    assert (row.endpoint, row.cached_tokens, row.cold_starts, row.queue_us, row.timed) == ("shared", 8, 1, 12_500, 1)
    assert quantiles([row.first_token_sketch], (0.5,)) == pytest.approx([40], rel=0.01)
    assert (one.queue_ms, one.cached_tokens, one.endpoint) == (12.5, 8, "shared")


def random_records(record: Record, rng: random.Random, count: int) -> list[InvocationRecord]:
    """Over the end of a month and of a day that is 25 hours long in Berlin and New York."""
    begins = [dt.datetime(2026, month, day, 22, tzinfo=dt.UTC).timestamp() for month, day in ((10, 24), (10, 31))]
    versions, keys = [None, str(uuid4()), str(uuid4())], [str(uuid4()), ""]
    return [
        record(
            at=rng.choice(begins) + rng.randrange(10_800), alias=rng.choice(("a", "b", "")),
            version_id=rng.choice(versions), key_id=rng.choice(keys), endpoint=rng.choice(("one", "two")),
            status=rng.choice((200, 200, 200, 429, 499, 503)), latency_ms=rng.lognormvariate(5, 1),
            first_token_ms=rng.choice((None, 20.0)), queue_ms=rng.choice((None, 1.234)),
        )
        for _ in range(count)
    ]  # fmt: skip


def test_every_total_is_the_sum_of_its_hours(record: Record, write: Write, folder: Path) -> None:
    rng = random.Random(3)
    for part in batches_of(random_records(record, rng, 160), 40):
        write(*part)
        assert collect(folder) == 40
    with system_scope():
        hours, totals_found = list(HourlyUsage.objects.all()), list(UsageTotal.objects.all())
    assert {row.hour.hour for row in hours} == {22, 23, 0}
    for total in totals_found:
        _is_sum(total, [row for row in hours if total.value == value_of(row, total.by) and covers(total, row.hour)])
    sums = {(t.by, t.grain): 0 for t in totals_found}
    for total in totals_found:
        sums[total.by, total.grain] += total.requests
    kept = {(by, grain) for by in set(By) - {By.MODEL} for grain in Grain} - {(By.VERSION, Grain.HOUR)}
    assert sums == dict.fromkeys(kept, 160)


def value_of(row: HourlyUsage, by: str) -> str:
    if by == By.VERSION:
        return f"{row.alias}/{row.version_key}" if row.version_key else row.alias
    return {By.ALL.value: "", By.MODEL.value: row.alias, By.ENDPOINT.value: row.endpoint, By.KEY.value: row.key}[by]


def covers(total: UsageTotal, hour: dt.datetime) -> bool:
    length = {"hour": 13, "day": 10, "month": 7}[total.grain]
    return total.start.isoformat()[:length] == hour.isoformat()[:length]


def batches_of(records: list[InvocationRecord], size: int) -> list[list[InvocationRecord]]:
    return [records[start : start + size] for start in range(0, len(records), size)]


def stored_rows() -> dict[type[RollUp], list[Any]]:
    with system_scope():
        return {
            model: sorted(
                tuple(bytes(v) if isinstance(v, memoryview) else v for v in row)
                for row in model.objects.values_list(*model.KEY, *model.SUMS, *model.SKETCHES)
            )
            for model in (HourlyUsage, UsageTotal)
        }


def test_the_order_and_repetition_of_lines_change_nothing(record: Record, write: Write, folder: Path) -> None:
    rng = random.Random(5)
    records = random_records(record, rng, 120)
    write(*records)
    collect(folder)
    once = stored_rows()
    with system_scope():
        for model in (Invocation, HourlyUsage, UsageTotal, LedgerFile):
            model.objects.all().delete()
    repeated = [*records, *rng.sample(records, 30)]
    rng.shuffle(repeated)
    for number, part in enumerate(batches_of(repeated, 25)):
        write(*part, name=f"gateway-{number}.jsonl")
        collect(folder)
    assert stored_rows() == once


def test_a_rebuilt_month_has_the_same_rows(record: Record, write: Write, folder: Path) -> None:
    write(*random_records(record, random.Random(7), 120))
    collect(folder)
    collected = stored_rows()
    with system_scope():
        HourlyUsage.objects.filter(alias="a").delete()
        UsageTotal.objects.update(requests=1)
    rebuilt = [rebuild_month(dt.date(2026, month, 1)) for month in (10, 11)]
    assert (sum(rebuilt), all(rebuilt)) == (120, True)
    assert stored_rows() == collected


def test_months_that_are_not_kept_are_dropped(record: Record, write: Write, folder: Path, settings: Settings) -> None:
    write(record(at=at("2026-01-31T23:59:59")), record(at=at("2026-02-01T00:00:00")), record())
    assert collect(folder) == 3
    # As it is after the collector's transaction.
    connection.check_constraints()
    this = month_of(timezone.now())
    settings.INVOCATION_MONTHS_KEPT = (this.year - 2026) * 12 + this.month - 2
    prepare_months()
    assert totals() == (2, 3)
    assert present_months()[0] == dt.date(2026, 2, 1)
    assert present_months()[-1] == next_month(this)
    # What is copied back later is not counted again.
    write(record(at=at("2026-01-31T23:59:59")), name="again.jsonl")
    assert collect(folder) == 0
    assert totals() == (2, 3)


def _is_sum(whole: RollUp, parts: list[HourlyUsage]) -> None:
    assert parts
    for name in RollUp.SUMS:
        assert getattr(whole, name) == sum(getattr(part, name) for part in parts)
    for name in RollUp.SKETCHES:
        assert getattr(whole, name) == merged([getattr(part, name) for part in parts])
