"""Each line of a ledger is counted exactly once, whatever dies in between."""

import datetime as dt
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lorakit.contracts import InvocationRecord
from metering.ledger import collector
from metering.ledger.collector import collect
from metering.ledger.rollup import COUNTED, Line, Sums, add_to_roll_ups
from metering.ledger.sketches import merged
from metering.models import DailyUsage, HourlyTotal, HourlyUsage, Invocation, LedgerFile, RollUp
from serving.gateway.ledger import Ledger
from tenants.models import Tenant
from tenants.scope import system_scope, tenant_scope

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

        def die_at_third(rows: dict[Line, Sums]) -> None:
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


def test_days_and_totals_are_the_sums_of_the_hours(record: Record, write: Write, folder: Path) -> None:
    rng = random.Random(3)
    moment = dt.datetime(2026, 3, 1, 22, tzinfo=dt.UTC).timestamp()
    for _ in range(4):
        write(
            *(
                record(
                    at=moment + rng.randrange(10_800), alias=rng.choice("ab"), status=rng.choice((200, 503)),
                    latency_ms=rng.lognormvariate(5, 1),
                )
                for _ in range(40)
            )
        )  # fmt: skip
        assert collect(folder) == 40
    with system_scope():
        hours = list(HourlyUsage.objects.all())
        assert {row.hour.hour for row in hours} == {22, 23, 0}
        for day in DailyUsage.objects.all():
            _is_sum(day, [row for row in hours if (row.hour.date(), row.alias) == (day.day, day.alias)])
        for total in HourlyTotal.objects.all():
            _is_sum(total, [row for row in hours if row.hour == total.hour])
        assert (DailyUsage.objects.count(), HourlyTotal.objects.count()) == (4, 3)


def _is_sum(whole: RollUp, parts: list[HourlyUsage]) -> None:
    assert parts
    for name in COUNTED:
        assert getattr(whole, name) == pytest.approx(sum(getattr(part, name) for part in parts))
    assert whole.latency_sketch == merged([part.latency_sketch for part in parts])
