"""Two that close a month at once write every statement once."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from metering.models import ClosedMonth, Statement
from metering.statements.services import begin_closing, finish_closing
from tenants.models import AuditEvent, Tenant
from tenants.scope import system_scope
from tests.metering.statements.conftest import OCTOBER
from tests.metering.statements.test_closing import SEPTEMBER, close

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("site"), pytest.mark.slow]


def at_once(*works: Callable[[], object]) -> list[BaseException]:
    """Run each in a thread, all from the same moment. Returns what they raised."""
    barrier, raised = threading.Barrier(len(works)), []

    def run(work: Callable[[], object]) -> None:
        try:
            barrier.wait(timeout=60)
            work()
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
        assert not thread.is_alive()
    return raised


def test_every_statement_is_written_and_recorded_once(october: Tenant) -> None:
    close(SEPTEMBER)

    def closer() -> None:
        begin_closing(month=OCTOBER)
        finish_closing(month=OCTOBER)

    assert at_once(*[closer] * 4) == []
    assert ClosedMonth.objects.get(month=OCTOBER).finished_at is not None
    with system_scope():
        found = sorted(Statement.objects.filter(month=OCTOBER).values_list("number", "due_micros"))
        events = AuditEvent.objects.filter(action="statement.closed", target_name__endswith="-2026-10").count()
    assert found == [("alder-law-2026-10", 301_111), ("cedar-care-2026-10", 1944)]
    assert events == 2
