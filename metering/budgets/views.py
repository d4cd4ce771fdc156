"""Pages of budgets: the list, a new one, a change."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from metering.budgets.forms import BudgetForm, NewBudgetForm
from metering.budgets.months import month_of
from metering.budgets.queries import budget_named, budgets, standing_of, standings
from metering.budgets.services import change_budget, delete_budget, set_budget
from rest.errors import PortalError
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest


@require_safe
@members_only(Action.USAGE_VIEW)
def index(request: TenantRequest) -> HttpResponse:
    """All budgets with what was spent of them this month."""
    context = {"standings": standings(budgets()), "month": month_of(timezone.now())}
    return render(request, "metering/budgets/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.BUDGETS_MANAGE)
def new(request: TenantRequest) -> HttpResponse:
    """The form of a new budget."""
    form = NewBudgetForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            set_budget(tenant=request.tenant, set_by=request.membership.user, **form.cleaned_data)
        except PortalError as error:
            error.show_on(form)
        else:
            messages.success(request, "Budget set.")
            return redirect("budgets:list")
    return render(request, "metering/budgets/new.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.BUDGETS_MANAGE)
def budget(request: TenantRequest, budget_id: UUID) -> HttpResponse:
    """The form that changes a budget."""
    found = budget_named(budget_id)
    initial = {"amount": f"{found.amount:.2f}", "note": found.note, "recipients": found.recipients}
    form = BudgetForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        try:
            change_budget(budget=found, set_by=request.membership.user, **form.cleaned_data)
        except PortalError as error:
            error.show_on(form)
        else:
            messages.success(request, "Budget changed.")
            return redirect("budgets:list")
    return render(request, "metering/budgets/change.html", {"form": form, "standing": standing_of(found)})


@require_POST
@members_only(Action.BUDGETS_MANAGE)
def delete(request: TenantRequest, budget_id: UUID) -> HttpResponse:
    """Delete a budget."""
    delete_budget(budget=budget_named(budget_id))
    messages.success(request, "Budget deleted.")
    return redirect("budgets:list")
