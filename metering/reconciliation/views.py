"""The operator's page of bills: what a cloud bills beside what the site counted."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from metering.prices.finder import CURRENCY
from metering.reconciliation.comparison import compared, imports, months, summary_of
from metering.reconciliation.forms import BillForm
from metering.reconciliation.reasons import reasons
from metering.reconciliation.services import BillFile, import_bill
from rest.errors import PortalError
from tenants.access import operators_only
from tenants.models import User

ROWS_ON_A_PAGE = 50


@require_safe
@operators_only
def index(request: HttpRequest) -> HttpResponse:
    """All months that have bills, and one of them by day (`?month=2026-10`, the newest by default)."""
    return _page(request, BillForm())


@require_POST
@transaction.non_atomic_requests
@operators_only
def import_files(request: HttpRequest) -> HttpResponse:
    """Import the files of a bill."""
    form = BillForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form)
    files = [BillFile(name=one.name or "", file=one.file) for one in form.cleaned_data["bill"]]
    user = request.user if isinstance(request.user, User) else None
    try:
        result = import_bill(files=files, imported_by=user)
    except PortalError as error:
        form.add_error("bill", error.text)
        return _page(request, form)
    messages.success(request, f"Bill imported: {result.rows_kept:,} of {result.rows_read:,} rows are of SageMaker.")
    newest = result.periods.rpartition(" ")[2]
    return redirect(f"{reverse('reconciliation:list')}?month={newest}")


def _page(request: HttpRequest, form: BillForm) -> HttpResponse:
    known = months()
    rows = {month: compared(month) for month in known}
    month = next((one for one in known if f"{one:%Y-%m}" == request.GET.get("month")), known[0] if known else None)
    page = Paginator(rows[month] if month else [], ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "currency": CURRENCY,
        "months": [summary_of(one, rows[one]) for one in known],
        "month": month,
        "rows": [(row, reasons(row)) for row in page],
        "page_obj": page,
        "imports": imports(),
        "focus_month": f"{month or timezone.now():%Y-%m}",
    }
    return render(request, "metering/reconciliation/page.html", context)
