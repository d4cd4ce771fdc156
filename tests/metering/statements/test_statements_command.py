"""`manage.py statements`: what the operator does without a browser."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from metering.models import ClosedMonth
from metering.statements.export import statement_csv
from metering.statements.pdf import statement_pdf
from metering.statements.queries import statement_of
from tenants.models import AuditEvent, Tenant
from tenants.scope import tenant_scope

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]


def statements(*arguments: str) -> str:
    said = io.StringIO()
    call_command("statements", *arguments, stdout=said)
    return said.getvalue()


def test_months_are_listed_closed_and_shown(october: Tenant) -> None:
    assert statements("list") == "2026-11  open\n2026-10  open\n2026-09  open\n"
    assert "Can’t be closed yet: September 2026 is still open" in statements("list", "2026-10")
    assert statements("close", "2026-09") == "September 2026 is closed; 2 statements written.\n"
    assert statements("close", "2026-10") == "October 2026 is closed; 2 statements written.\n"
    assert statements("close", "2026-10") == "October 2026 is closed; 0 statements written.\n"
    assert "2026-10  closed 2026-11-05\n" in statements("list")
    first, second = statements("list", "2026-10").splitlines()
    assert first.split() == ["alder-law", "closed", "0.30", "USD", "2", "unknown"]
    assert second.split() == ["cedar-care", "closed", "0.00", "USD"]
    shown = statements("show", "alder-law", "2026-10")
    for part in ("alder-law-2026-10  closed 2026-11-05T09:00:00+00:00", "unknown", "tickets: Serving on shared",
                 "0.30  USD due, exactly 0.301111", "0.33  USD paid to own providers", "sha256 "):  # fmt: skip
        assert part in shown, part
    assert "DIFFERS" not in shown
    assert ClosedMonth.objects.get(month="2026-10-01").is_by_hand


def test_files_are_those_of_the_page(october: Tenant, tmp_path: Path) -> None:
    with tenant_scope(october.id):
        found = statement_of(october, "2026-10")
    for name, expected in (("a.csv", statement_csv(found.document).encode()), ("a.pdf", statement_pdf(found.document))):
        statements("export", "alder-law", "2026-10", str(tmp_path / name))
        assert (tmp_path / name).read_bytes() == expected


def test_a_credit_is_added_by_the_operator(october: Tenant) -> None:
    said = statements("adjust", "alder-law", "2026-11", "--reason", "Outage", "--", "-25.00")
    assert said.endswith("on alder-law-2026-11\n")
    assert "-25.000000  Adjustments: Outage" in statements("show", "alder-law", "2026-11")
    with tenant_scope(october.id):
        assert AuditEvent.objects.get(action="statement.adjusted").actor_kind == "operator"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("close", "2026-13"), "Write a month as 2026-10"),
        (("close", "2026-11"), "isn’t over"),
        (("show", "nobody", "2026-10"), "There is no organisation 'nobody'"),
        (("show", "alder-law", "2026-08"), "no statement of this month"),
        (("export", "alder-law", "2026-10", "a.doc"), "ends in .pdf or .csv"),
        (("adjust", "alder-law", "2026-11", "0", "--reason", "x"), "an amount other than 0"),
        (("adjust", "alder-law", "2026-12", "1", "--reason", "x"), "has no statement of December 2026"),
    ],
)
def test_bad_arguments_are_explained(october: Tenant, arguments: tuple[str, ...], why: str) -> None:
    with pytest.raises(CommandError, match=why):
        statements(*arguments)
