"""`manage.py usage` rebuilds months whose requests are kept, and no others."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from lorakit.contracts import InvocationRecord
from metering.ledger.collector import collect
from metering.models import UsageTotal
from tenants.scope import system_scope
from tests.metering.conftest import at

pytestmark = pytest.mark.django_db


def usage(*arguments: str) -> str:
    text = io.StringIO()
    call_command("usage", *arguments, stdout=text)
    return text.getvalue()


def test_a_month_is_rebuilt(record: Callable[..., InvocationRecord], write: Callable[..., Path], folder: Path) -> None:
    write(record(at=at("2026-03-31T23:59:59")), record(at=at("2026-04-01T00:00:00")))
    collect(folder)
    with system_scope():
        UsageTotal.objects.all().delete()
    assert {"2026-03", "2026-04"} <= set(usage("months").split())
    assert usage("rebuild", "2026-03") == "2026-03: 1 requests\n"
    with system_scope():
        assert {(total.start.month, total.requests) for total in UsageTotal.objects.all()} == {(3, 1)}


@pytest.mark.parametrize("month", ["2006-01", "2026-13", "yesterday"])
def test_others_are_refused(month: str) -> None:
    with pytest.raises(CommandError):
        usage("rebuild", month)
