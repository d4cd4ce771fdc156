"""A month is closed once, in order, for all organisations; afterwards nothing of it changes."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import Error, connection, transaction
from pytest_django import Settings

from metering.costs.allocation import allocate_due
from metering.ledger.rebuilding import rebuild_month
from metering.models import Adjustment, ClosedMonth, EndpointHour, HourlyUsage, Statement
from metering.statements import services
from metering.statements.document import Document, sha256_of
from metering.statements.drafting import drafted
from metering.statements.export import statement_csv
from metering.statements.pdf import statement_pdf
from metering.statements.queries import blockers, months_of, open_months, statement_of, statements_of
from metering.statements.services import add_adjustment, begin_closing, close_due, finish_closing
from metering.usage.ranges import HOUR
from rest.errors import Conflict, NotFound
from serving.models import Endpoint, EndpointState
from tenants.models import AuditEvent, Tenant, User
from tenants.people.services import create_tenant
from tenants.scope import system_scope, tenant_scope
from tests.metering.ledger.test_collector import stored_rows
from tests.metering.statements.conftest import NOON, NOVEMBER, OCTOBER, Clock, job, measured
from tests.metering.statements.test_lines import check_total

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]
SEPTEMBER = dt.date(2026, 9, 1)


def close(month: dt.date = OCTOBER) -> None:
    for one in open_months():
        if one <= month:
            begin_closing(month=one)
            finish_closing(month=one)


def files(tenant: Tenant, key: str = "2026-10") -> tuple[bytes, bytes]:
    with tenant_scope(tenant.id):
        found = statement_of(tenant, key)
    return statement_csv(found.document).encode(), statement_pdf(found.document, found.sha256)


def hour_of_noon() -> EndpointHour:
    """Its parts are its whole, and so are the parts of its tenants."""
    row = EndpointHour.objects.get(endpoint="shared", hour=NOON)
    with system_scope():
        lines = list(HourlyUsage.objects.filter(hour=NOON, endpoint="shared"))
        late = sum(one.micros for one in Adjustment.objects.filter(kind="late", hour=NOON))
    assert sum(line.used_micros for line in lines) == row.used_micros
    assert sum(line.idle_micros for line in lines) == row.idle_micros
    assert row.used_micros + row.idle_micros + row.operator_micros == row.micros
    assert 0 <= late <= row.operator_micros
    return row


def test_the_month_that_is_due_is_closed_for_everyone(october: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(october.id):
        before = drafted(october, OCTOBER)
    assert close_due() == [SEPTEMBER, OCTOBER]
    assert close_due() == []
    with system_scope():
        found = {(row.number, row.due_micros, row.provider_micros) for row in Statement.objects.all()}
        events = set(AuditEvent.objects.filter(action="statement.closed").values_list("target_name", flat=True))
    assert found == {
        ("alder-law-2026-09", 0, 0), ("alder-law-2026-10", 301_111, 333_333),
        ("cedar-care-2026-09", 0, 0), ("cedar-care-2026-10", 1944, 0),
    }  # fmt: skip
    assert events == {number for number, _, _ in found}
    closed = ClosedMonth.objects.get(month=OCTOBER)
    assert (closed.is_by_hand, closed.closed_by, closed.finished_at is not None) == (False, None, True)
    with tenant_scope(october.id):
        [row] = Statement.objects.filter(month=OCTOBER)
        assert sha256_of(row.document) == row.sha256
        assert Document.of_json(row.document).lines == before.lines
    check_total(october)


def test_it_is_not_closed_before_its_days_or_at_all(october: Tenant, clock: Clock, settings: Settings) -> None:
    clock.set(2026, 11, 3, 23, 59)
    assert close_due() == [SEPTEMBER]
    clock.set(2026, 11, 4)
    settings.STATEMENT_CLOSING_DAYS = 0
    assert close_due() == []
    settings.STATEMENT_CLOSING_DAYS = 3
    assert close_due() == [OCTOBER]


@pytest.mark.parametrize(
    ("now", "why"),
    [((2026, 10, 31, 23, 59), "isn’t over"), ((2026, 11, 1, 0, 59), "less than an hour ago"),
     ((2026, 11, 1, 1), "September 2026 is still open")],
)  # fmt: skip
def test_a_month_is_closed_after_its_end_and_in_order(clock: Clock, now: tuple[int, ...], why: str) -> None:
    clock.set(*now)
    with pytest.raises(Conflict, match=why) as error:
        begin_closing(month=OCTOBER)
    assert error.value.code == "statement:cannot_close"
    assert not ClosedMonth.objects.exists()


def test_what_is_still_to_be_shared_blocks_it(asked: Callable[..., None], clock: Clock) -> None:
    close(SEPTEMBER)
    measured()
    assert "1 hour of an endpoint is still to be shared" in blockers(OCTOBER)[0].text
    asked()
    assert blockers(OCTOBER) == []
    asked({}, share=False)
    assert "1 hour of an endpoint is still to be shared" in blockers(OCTOBER)[0].text
    assert close_due() == []
    asked()
    assert close_due() == [OCTOBER]


def test_an_endpoint_that_is_not_measured_to_the_end_blocks_it(clock: Clock) -> None:
    close(SEPTEMBER)
    Endpoint.objects.update(state=EndpointState.IN_SERVICE)
    assert "The hours of shared are not measured" in blockers(OCTOBER)[0].text
    row = measured(dt.datetime(2026, 10, 31, 23, tzinfo=dt.UTC))
    allocate_due()
    assert blockers(OCTOBER) == []
    row.delete()
    Endpoint.objects.update(created_at=dt.datetime(2026, 11, 1, tzinfo=dt.UTC))
    assert blockers(OCTOBER) == []


def test_a_price_that_nobody_knows_does_not_block_it(
    asked: Callable[..., None], tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metering.costs.allocation.hosting_price", lambda endpoint, hour: None)
    measured()
    asked()
    EndpointHour.objects.update(allocated_at=None)
    assert close_due() == [SEPTEMBER, OCTOBER]
    with tenant_scope(tenant.id):
        [line] = statement_of(tenant, "2026-10").document.lines
    assert (line.quantity, line.unit, line.micros) == ("1", "request", None)


def test_a_closing_that_was_killed_goes_on(
    october: Tenant, other_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    close(SEPTEMBER)
    write = services._write
    written: list[str] = []

    def die(tenant: Tenant, closed: ClosedMonth) -> bool:
        if written:
            raise KeyboardInterrupt
        written.append(tenant.slug)
        return write(tenant, closed)

    with monkeypatch.context() as patched:
        patched.setattr(services, "_write", die)
        with pytest.raises(KeyboardInterrupt):
            close_due()
    assert ClosedMonth.objects.get(month=OCTOBER).finished_at is None
    with system_scope():
        [first] = Statement.objects.filter(month=OCTOBER).values_list("number", "sha256", "created_at")
    # What the rest is of must not change meanwhile.
    job(other_tenant, finished_at=dt.datetime(2026, 11, 1, tzinfo=dt.UTC))
    assert close_due() == []
    assert ClosedMonth.objects.get(month=OCTOBER).finished_at is not None
    with system_scope():
        found = list(Statement.objects.filter(month=OCTOBER).values_list("number", "sha256", "created_at"))
        assert first in found
        assert {(row.number, row.due_micros) for row in Statement.objects.filter(month=OCTOBER)} == {
            ("alder-law-2026-10", 301_111), ("cedar-care-2026-10", 1944)
        }  # fmt: skip
        assert AuditEvent.objects.filter(action="statement.closed", target_name__endswith="2026-10").count() == 2


def test_late_requests_count_as_use_and_are_charged_on_the_next_statement(
    october: Tenant, asked: Callable[..., None]
) -> None:
    close()
    before, shared = files(october), hour_of_noon()
    with system_scope():
        used = {line.alias: line.used_micros for line in HourlyUsage.objects.filter(tenant=october)}
    asked({"busy_ms": 5000.0}, {"alias": "new", "busy_ms": 2000.0})
    row = hour_of_noon()
    assert (row.used_micros, row.operator_micros) == (shared.used_micros, shared.operator_micros)
    with tenant_scope(october.id):
        lines = {line.alias: line for line in HourlyUsage.objects.all()}
        assert {alias: line.used_micros for alias, line in lines.items()} == {**used, "new": 0}
        assert (lines["clauses"].requests, lines["clauses"].unpriced, lines["new"].requests) == (2, 0, 1)
        [november] = statements_of(october, [NOVEMBER])
    found = [(line.title, line.quantity, line.unit, line.micros) for line in november.document.lines]
    assert found == [
        ("Late requests of October 2026 for clauses on shared", "1", "request", 1389),
        ("Late requests of October 2026 for new on shared", "1", "request", 556),
    ]
    assert (november.document.use_micros, november.document.adjustment_micros) == (0, 1945)
    assert files(october) == before
    check_total(october)
    asked()
    assert allocate_due() == 0
    with tenant_scope(october.id):
        assert statements_of(october, [NOVEMBER])[0].document.due_micros == 1945 + 277


def test_late_requests_never_cost_more_than_the_operator_bears(
    asked: Callable[..., None], tenant: Tenant, other_tenant: Tenant
) -> None:
    measured()
    asked({"busy_ms": 3_000_000.0})
    close()
    asked({"alias": "a", "busy_ms": 1_200_000.0}, {"tenant_id": str(other_tenant.id), "busy_ms": 3_000_000.0})
    row = hour_of_noon()
    with system_scope():
        late = dict(Adjustment.objects.values_list("tenant__slug", "micros"))
    assert sum(late.values()) == row.operator_micros == 166_667
    assert late == {"alder-law": 47_619, "cedar-care": 119_048}
    asked({"busy_ms": 3_000_000.0})
    with system_scope():
        assert sum(Adjustment.objects.values_list("micros", flat=True)) == row.operator_micros
        assert not HourlyUsage.objects.filter(unpriced__gt=0).exists()


def test_an_hour_that_others_paid_as_a_whole_costs_nothing_more(
    asked: Callable[..., None], settings: Settings, tenant: Tenant
) -> None:
    settings.IDLE_COST_POLICY = "use"
    measured()
    asked()
    close()
    asked({"alias": "late"})
    assert hour_of_noon().operator_micros == 0
    with system_scope():
        assert not Adjustment.objects.exists()


def test_a_price_that_becomes_known_later_is_an_adjustment(
    asked: Callable[..., None], tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.setattr("metering.costs.allocation.hosting_price", lambda endpoint, hour: None)
        measured()
        asked({}, {})
        close()
    before = files(tenant)
    EndpointHour.objects.update(allocated_at=None)
    assert allocate_due() == 1
    row = hour_of_noon()
    assert (row.micros, row.used_micros, row.operator_micros) == (1_000_000, 0, 1_000_000)
    with tenant_scope(tenant.id):
        [line] = statements_of(tenant, [NOVEMBER])[0].document.lines
    assert (line.quantity, line.micros) == ("2", 555)
    assert files(tenant) == before


def test_rebuilding_a_closed_month_keeps_its_shares(october: Tenant, asked: Callable[..., None]) -> None:
    close()
    asked({"busy_ms": 5000.0})
    before, shared, closed = stored_rows(), hour_of_noon(), files(october)
    with system_scope():
        adjusted = list(Adjustment.objects.values())
    rebuild_month(OCTOBER)
    assert stored_rows() == before
    assert allocate_due() == 0
    assert hour_of_noon() == shared
    rebuild_month(OCTOBER)
    with system_scope():
        assert list(Adjustment.objects.values()) == adjusted
    assert files(october) == closed
    check_total(october)


def test_a_rebuild_that_finds_more_charges_it_as_late(october: Tenant, asked: Callable[..., None]) -> None:
    close()
    asked(share=False)
    with system_scope():
        HourlyUsage.objects.filter(tenant=october, alias="clauses").update(requests=1, busy_us=1_000_000, unpriced=0)
    rebuild_month(OCTOBER)
    assert allocate_due() == 1
    with system_scope():
        assert [(one.micros, one.requests) for one in Adjustment.objects.all()] == [(278, 1)]
    hour_of_noon()


def test_files_stay_the_same_when_names_prices_and_settings_change(
    october: Tenant, settings: Settings, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    close()
    before = files(october)
    with system_scope():
        october.name, october.slug = "Alder & Sons", "sons"
        october.save()
    job(october, usd_per_hour=Decimal(9))
    settings.TIME_ZONE = "Asia/Tokyo"
    settings.OUTPUT_TOKEN_WEIGHT = 9.0
    settings.CURRENCY = "EUR"
    clock.set(2027, 3, 1)
    assert files(october) == before
    assert b"Alder Law" not in statement_csv(drafted_now(october)).encode()


def drafted_now(tenant: Tenant) -> Document:
    with tenant_scope(tenant.id):
        return drafted(tenant, OCTOBER)


CHANGES = (
    "UPDATE metering_statement SET due_micros = 0",
    "UPDATE metering_statement SET document = '{}'",
    "DELETE FROM metering_statement",
    "UPDATE metering_closedmonth SET finished_at = now()",
    "UPDATE metering_closedmonth SET closed_at = now()",
    "DELETE FROM metering_closedmonth",
    "UPDATE metering_adjustment SET micros = 1",
    "DELETE FROM metering_adjustment",
)


def test_the_database_refuses_to_change_what_was_stated(october: Tenant) -> None:
    close()
    with tenant_scope(october.id):
        add_adjustment(tenant=october, month=NOVEMBER, amount=Decimal(-5), reason="Outage")
    for change in CHANGES:
        with system_scope(), pytest.raises(Error, match="cannot be changed"), transaction.atomic():
            connection.cursor().execute(change)


def test_whoever_closed_a_month_can_leave(october: Tenant, olga: User) -> None:
    close(SEPTEMBER)
    begin_closing(month=OCTOBER, closed_by=olga)
    with tenant_scope(october.id):
        add_adjustment(tenant=october, month=NOVEMBER, amount=Decimal(-5), reason="Outage", created_by=olga)
    with system_scope():
        olga.delete()
        assert Adjustment.objects.get().created_by is None
    assert ClosedMonth.objects.get(month=OCTOBER).closed_by is None


def test_who_came_in_the_middle_of_a_month_has_a_statement_of_it_and_none_before(
    alice: User, clock: Clock, october: Tenant
) -> None:
    late = create_tenant(name="Elder Estates", owner=alice)
    with system_scope():
        late.created_at = dt.datetime(2026, 10, 31, 23, 59, tzinfo=dt.UTC)
        late.save()
    assert close_due() == [SEPTEMBER, OCTOBER]
    with tenant_scope(late.id):
        assert months_of(late) == [NOVEMBER, OCTOBER]
        found = statement_of(late, "2026-10")
        assert (found.document.lines, found.document.due_micros) == ([], 0)
        with pytest.raises(NotFound):
            statement_of(late, "2026-09")
    assert files(late)[1].startswith(b"%PDF")


@pytest.mark.parametrize(
    "key", ["2026-08", "2026-12", "2026-13", "2026-1", "26-10", "٢٠٢٦-١٠", "0001-01", "9999-12", "", "x"]
)
def test_a_month_without_statement_is_not_found(tenant: Tenant, key: str) -> None:
    with tenant_scope(tenant.id), pytest.raises(NotFound):
        statement_of(tenant, key)


def test_a_changed_document_is_noticed(october: Tenant) -> None:
    close()
    with tenant_scope(october.id):
        found = statement_of(october, "2026-10")
        assert found.is_intact
        changed: dict[str, Any] = {**found.document.as_json(), "organisation": "Somebody"}
    assert sha256_of(changed) != found.sha256


def test_hours_keep_being_shared_after_a_month_was_closed(october: Tenant, asked: Callable[..., None]) -> None:
    close()
    at = dt.datetime(2026, 11, 2, 10, tzinfo=dt.UTC)
    measured(at)
    asked({"at": at.timestamp()})
    row = EndpointHour.objects.get(hour=at)
    assert (row.used_micros, row.measured_until) == (277, at + HOUR)
    check_total(october, NOVEMBER)
