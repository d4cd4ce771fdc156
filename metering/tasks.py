"""Periodic tasks of metering."""

from uuid import UUID

import structlog
from celery import shared_task

from metering.alerts.mail import send_due
from metering.anomalies.hours import tenants_to_check
from metering.anomalies.services import check_hour, last_full_hour
from metering.backends.price_lists import PriceListError, price_lists
from metering.budgets.queries import tenants_with_budgets
from metering.budgets.services import count_spend
from metering.costs.allocation import allocate_due
from metering.costs.measuring import measure_endpoints
from metering.ledger.collector import collect
from metering.ledger.months import prepare_months
from metering.observed.engines import note_engines
from metering.observed.services import read_observed
from metering.prices.in_use import importable, in_use
from metering.prices.services import import_prices
from metering.statements.late import charge_late_lines
from metering.statements.services import close_due
from metering.stored.measuring import measure, price_again, tenants_to_measure
from storage.errors import StorageUnavailable

log = structlog.get_logger(__name__)


@shared_task(name="metering.collect_invocations")
def collect_invocations() -> None:
    """Move new ledger records into the database."""
    collect()


@shared_task(name="metering.prepare_months")
def prepare_invocation_months() -> None:
    """Have room for the next month's invocations, and drop those no longer kept."""
    prepare_months()


@shared_task(name="metering.allocate_costs")
def allocate_costs() -> None:
    """Measure how long endpoints were there, and share what that cost."""
    measure_endpoints()
    allocate_due()


@shared_task(name="metering.measure_storage")
def measure_storage(tenant_id: str = "") -> None:
    """Measure what organisations have in storage, once an hour, each in a task of its own."""
    if tenant_id:
        try:
            measure(tenant_id=UUID(tenant_id))
        except StorageUnavailable as error:
            log.warning("storage_not_measured", tenant=tenant_id, code=error.code)
        return
    price_again()
    for found in tenants_to_measure():
        measure_storage.delay(str(found))


@shared_task(name="metering.read_observed")
def read_observed_usage() -> None:
    """Read what a cloud counted of adapters and endpoints."""
    read_observed()


@shared_task(name="metering.note_engines")
def note_memory_of_engines() -> None:
    """Keep what engines say of their memory."""
    note_engines()


@shared_task(name="metering.import_prices")
def import_prices_in_use() -> None:
    """Import AWS's prices of what the site uses; a list that is away is read the next day."""
    items = importable(one.item for one in in_use())
    if not price_lists or not items:
        return
    try:
        import_prices(items=items)
    except PriceListError as error:
        log.warning("prices_not_imported", code=error.code, reason=error.text)


@shared_task(name="metering.close_statements")
def close_statements() -> None:
    """Close the months that are due, and finish what was begun."""
    close_due()


@shared_task(name="metering.charge_late_lines")
def charge_late() -> None:
    """Charge storage and calls that came to closed months, on the next statement."""
    charge_late_lines()


@shared_task(name="metering.count_budgets")
def count_budgets(tenant_id: str = "") -> None:
    """Count what was spent of budgets, each organisation in a task of its own."""
    if tenant_id:
        count_spend(tenant_id=UUID(tenant_id))
        return
    for found in tenants_with_budgets():
        count_budgets.delay(str(found))


@shared_task(name="metering.send_alerts")
def send_alerts() -> None:
    """Send the e-mails of alerts that wait."""
    send_due()


@shared_task(name="metering.find_anomalies")
def find_anomalies(tenant_id: str = "") -> None:
    """Look at the last full hour, each organisation in a task of its own."""
    start = last_full_hour()
    if tenant_id:
        check_hour(tenant_id=UUID(tenant_id), start=start)
        return
    for found in tenants_to_check(start):
        find_anomalies.delay(str(found))
