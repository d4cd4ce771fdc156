"""Files of a month: of the whole site for its operator, or of one organisation."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import chain
from typing import IO, Any, Literal

from metering.focus.calls import call_charges, call_unknown
from metering.focus.charges import row_of
from metering.focus.files import write_csv, write_parquet, write_unknown
from metering.focus.hosting import hosting_charges, hosting_unknown
from metering.focus.organisations import Organisations
from metering.focus.periods import Month
from metering.focus.runs import run_charges, run_unknown
from metering.focus.storage import storage_charges, storage_unknown
from metering.focus.unknown import Unknown
from tenants.models import Tenant
from tenants.scope import system_scope, tenant_scope

Format = Literal["csv", "parquet"]
FORMATS: dict[Format, str] = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
"""With their media types."""


def write_focus(
    file: IO[bytes], month: Month, *, only: Tenant | None, file_type: Format = "csv", unsplit: bool = False
) -> int:
    """Write a month's charges with a known cost. Returns how many there are.

    `only` is the organisation whose own they are; None for all of the site's, with what nobody was given. `unsplit`
    gives an endpoint's cost as one charge instead of its parts, to the operator only.
    """
    write = write_parquet if file_type == "parquet" else write_csv
    with _scope(only):
        return write(_rows(month, Organisations(only), unsplit=unsplit), file)


def write_without_price(file: IO[bytes], month: Month, *, only: Tenant | None) -> int:
    """Write what has no known cost, as CSV. Returns how many rows there are."""
    with _scope(only):
        return write_unknown(_unknown(month, Organisations(only)), file)


def _rows(month: Month, organisations: Organisations, *, unsplit: bool) -> Iterator[dict[str, Any]]:
    charges = chain(
        hosting_charges(month, organisations, unsplit=unsplit),
        run_charges(month, organisations),
        call_charges(month, organisations),
        storage_charges(month, organisations),
    )
    return (row_of(charge, month) for charge in charges)


def _unknown(month: Month, organisations: Organisations) -> Iterator[Unknown]:
    return chain(
        hosting_unknown(month, organisations),
        run_unknown(month, organisations),
        call_unknown(month, organisations),
        storage_unknown(month, organisations),
    )


def _scope(only: Tenant | None) -> AbstractContextManager[None]:
    return tenant_scope(only.id) if only else system_scope()
