"""An organisation's statements: the months, one month, and its files."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from metering.costs.charts import cost_figure
from metering.costs.over_time import costs_over_time
from metering.models import By, Grain
from metering.statements.export import statement_csv
from metering.statements.months import end_of, start_of
from metering.statements.pdf import statement_pdf
from metering.statements.queries import Found, changes, months_of, statement_of, statements_of
from metering.statements.shown import shown
from metering.usage.charts import Axis
from metering.usage.queries import Slice, usage_of
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest

MONTHS_ON_A_PAGE = 12


@require_safe
@members_only(Action.USAGE_VIEW)
def index(request: TenantRequest) -> HttpResponse:
    """All months, the latest first, each with its amount, its state and the change against the month before."""
    months = months_of(request.tenant)
    page = Paginator(months, MONTHS_ON_A_PAGE).get_page(request.GET.get("page"))
    # One more, to compare the last of the page with.
    first = page.start_index() - 1
    found = statements_of(request.tenant, months[first : first + len(page) + 1])
    compared = changes(found)
    context = {
        "statements": [(one, compared.get(one.key)) for one in found[: len(page)]],
        "page_obj": page,
    }
    return render(request, "metering/statements/list.html", context)


@require_safe
@members_only(Action.USAGE_VIEW)
def statement(request: TenantRequest, month: str) -> HttpResponse:
    """The lines of a month, and its costs by day."""
    found = statement_of(request.tenant, month)
    context = {
        "statement": found,
        "document": found.document,
        "shown": shown(found.document),
        "figures": _figures(found),
    }
    return render(request, "metering/statements/statement.html", context)


@require_safe
@members_only(Action.USAGE_VIEW)
def as_csv(request: TenantRequest, month: str) -> HttpResponse:
    """A statement as CSV."""
    found = statement_of(request.tenant, month)
    return _file(found, statement_csv(found.document).encode(), "text/csv; charset=utf-8", "csv")


@require_safe
@members_only(Action.USAGE_VIEW)
def as_pdf(request: TenantRequest, month: str) -> HttpResponse:
    """A statement as PDF."""
    found = statement_of(request.tenant, month)
    return _file(found, statement_pdf(found.document, found.sha256), "application/pdf", "pdf")


def _file(found: Found, content: bytes, content_type: str, suffix: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    name = f"{found.document.number}.{suffix}"
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    return response


def _figures(found: Found) -> dict[str, object]:
    wanted = Slice(start=start_of(found.month), end=end_of(found.month))
    costs = costs_over_time(wanted, Grain.DAY, usage_of(wanted, By.ALL).series(Grain.DAY))
    return {"cost": cost_figure(Axis(wanted=wanted, grain=Grain.DAY), costs, "USD")} if costs else {}
