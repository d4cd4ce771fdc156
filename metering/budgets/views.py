"""Pages of budgets."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from metering.budgets.forms import AmountForm, NewBudgetForm
from metering.budgets.queries import budget_by_id, budgets, counted
from metering.budgets.services import change_budget, create_budget, delete_budget
from rest.errors import PortalError
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest


@require_safe
@members_only(Action.USAGE_VIEW)
def index(request: TenantRequest) -> HttpResponse:
    """All budgets with what is spent of them."""
    return _page(request, NewBudgetForm())


@require_POST
@members_only(Action.BUDGETS_MANAGE)
def new(request: TenantRequest) -> HttpResponse:
    """Add a budget."""
    form = NewBudgetForm(request.POST)
    if form.is_valid():
        try:
            create_budget(
                tenant=request.tenant,
                by=form.by,
                value=form.value,
                usd=form.cleaned_data["usd"],
                note=form.cleaned_data["note"],
                created_by=request.membership.user,
            )
        except PortalError as error:
            error.show_on(form)
        else:
            messages.success(request, "Budget added.")
            return redirect("metering:budgets")
    return _page(request, form)


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.BUDGETS_MANAGE)
def budget(request: TenantRequest, budget_id: UUID) -> HttpResponse:
    """Change one."""
    found = budget_by_id(budget_id)
    form = AmountForm(request.POST or None, initial={"usd": found.usd, "note": found.note})
    if request.method == "POST" and form.is_valid():
        try:
            change_budget(budget=found, usd=form.cleaned_data["usd"], note=form.cleaned_data["note"])
        except PortalError as error:
            error.show_on(form)
        else:
            messages.success(request, "Budget changed.")
            return redirect("metering:budgets")
    return render(request, "metering/budgets/budget.html", {"form": form, "counted": counted(found)})


@require_POST
@members_only(Action.BUDGETS_MANAGE)
def delete(request: TenantRequest, budget_id: UUID) -> HttpResponse:
    """Delete one."""
    delete_budget(budget=budget_by_id(budget_id))
    messages.success(request, "Budget deleted.")
    return redirect("metering:budgets")


def _page(request: TenantRequest, form: NewBudgetForm) -> HttpResponse:
    context = {
        "form": form,
        "budgets": [counted(one) for one in budgets()],
        "may_manage": request.membership.may(Action.BUDGETS_MANAGE),
    }
    return render(request, "metering/budgets/list.html", context)
