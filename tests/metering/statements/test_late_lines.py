"""Calls of judges that are written down after their month was closed are charged once, on the next statement."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import F

from evaluations.models import JudgeUsage, PaidTo
from metering.models import Adjustment
from metering.statements import services
from metering.statements.late import charge_late_lines
from metering.statements.queries import statement_of
from metering.statements.services import close_due
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.metering.statements.conftest import OCTOBER, Clock, judged

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]
CHARGED = (Decimal("0.05"), Decimal("0.02"))


def written_late(tenant: Tenant, usd: Decimal, **which: Any) -> None:
    with tenant_scope(tenant.id):
        assert JudgeUsage.objects.filter(**which).update(calls=F("calls") + 1, usd=F("usd") + usd)


def lines(tenant: Tenant, key: str) -> list[tuple[str, int | None]]:
    with tenant_scope(tenant.id):
        return [(line.title, line.micros) for line in statement_of(tenant, key).document.lines]


def test_what_a_judge_was_paid_late_is_charged_once(tenant: Tenant, other_tenant: Tenant, clock: Clock) -> None:
    judged(tenant)
    judged(tenant, judge_key="ours", judge_name="Ours", paid_to=PaidTo.PROVIDER)
    judged(other_tenant)
    close_due()
    assert charge_late_lines() == 0
    written_late(tenant, CHARGED[0], judge_key="strict")
    # What an organisation owes its provider is nothing that this site charges.
    written_late(tenant, Decimal(1), judge_key="ours")
    judged(tenant, judge_key="new", judge_name="New", usd=CHARGED[1])
    assert [charge_late_lines(), charge_late_lines()] == [2, 0]
    late = [("Late in October 2026: Judging: New", 20_000), ("Late in October 2026: Judging: Strict", 50_000)]
    assert lines(tenant, "2026-11") == late
    assert lines(tenant, "2026-10") == [("Judging: Ours", 100_000), ("Judging: Strict", 100_000)]
    assert lines(other_tenant, "2026-11") == []
    # More comes, after November was closed as well.
    clock.set(2026, 12, 5)
    close_due()
    written_late(tenant, CHARGED[0], judge_key="strict")
    assert [charge_late_lines(), charge_late_lines()] == [1, 0]
    assert lines(tenant, "2026-12") == late[1:]
    assert lines(tenant, "2026-11") == late


def test_a_judge_by_another_name_is_nothing_new(tenant: Tenant) -> None:
    judged(tenant)
    close_due()
    with tenant_scope(tenant.id):
        JudgeUsage.objects.update(judge_name="Severe")
    assert charge_late_lines() == 0
    written_late(tenant, CHARGED[0], judge_key="strict")
    assert charge_late_lines() == 1
    with tenant_scope(tenant.id):
        assert Adjustment.objects.get().micros == 50_000


def test_what_comes_while_a_closing_is_interrupted_is_on_the_statement_itself(
    tenant: Tenant, other_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged(tenant)
    judged(other_tenant)
    write = services._write
    written: list[Tenant] = []

    def die(owner: Tenant, closed: Any) -> bool:
        if closed.month == OCTOBER and written:
            raise KeyboardInterrupt
        written.extend([owner] if closed.month == OCTOBER else [])
        return write(owner, closed)

    with monkeypatch.context() as patched:
        patched.setattr(services, "_write", die)
        with pytest.raises(KeyboardInterrupt):
            close_due()
    [first] = written
    [second] = {tenant, other_tenant} - {first}
    for owner in (first, second):
        written_late(owner, CHARGED[0], judge_key="strict")
    # Nothing is charged while the month is being closed.
    assert charge_late_lines() == 0
    close_due()
    assert charge_late_lines() == 1
    assert lines(first, "2026-10") == [("Judging: Strict", 100_000)]
    assert lines(first, "2026-11") == [("Late in October 2026: Judging: Strict", 50_000)]
    assert lines(second, "2026-10") == [("Judging: Strict", 150_000)]
    assert lines(second, "2026-11") == []


def test_months_long_closed_are_not_looked_at(tenant: Tenant, clock: Clock) -> None:
    judged(tenant)
    clock.set(2027, 1, 5)
    assert OCTOBER in close_due()
    assert clock.now - dt.timedelta(days=60) > dt.datetime(2026, 10, 31, tzinfo=dt.UTC)
    written_late(tenant, CHARGED[0], judge_key="strict")
    assert charge_late_lines() == 0
