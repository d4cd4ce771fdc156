"""Pages of judges: the list, one judge with its settings, and a trial."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from evaluations.judges.backends import judges as shared
from evaluations.judges.forms import JudgeForm
from evaluations.judges.panels import render_panels
from evaluations.judges.services import Trial, change_judge, create_judge, delete_judge, try_judge
from evaluations.judges.settings import FIELDS
from evaluations.models import Judge
from rest.errors import PortalError
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest

PAGE_SIZE = 25


@require_safe
@members_only(Action.JUDGES_MANAGE)
def index(request: TenantRequest) -> HttpResponse:
    """The organisation's judges, newest first, and those that the site offers to all."""
    page = Paginator(Judge.objects.select_related("created_by"), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(
        request, "evaluations/judges/list.html", {"page_obj": page, "shared": [shared[alias] for alias in shared]}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.JUDGES_MANAGE)
def new(request: TenantRequest) -> HttpResponse:
    """Add a judge, and show it."""
    form = JudgeForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        values = form.settings()
        try:
            made = create_judge(
                tenant=request.tenant,
                created_by=request.membership.user,
                **{**values, "secret": values["secret"] or ""},
            )
        except PortalError as error:
            error.show_on(form)
        else:
            messages.success(request, "Judge added. Try it before you use it.")
            return redirect("evaluations:judge", made.id)
    return render(request, "evaluations/judges/new.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.JUDGES_MANAGE)
def judge(request: TenantRequest, judge_id: UUID) -> HttpResponse:
    """One judge: its settings to change."""
    found = _named(judge_id)
    if request.method != "POST":
        return _page(request, found, _form_of(found))
    form = JudgeForm(request.POST, stored_for=found.secret_host)
    if form.is_valid():
        had_secret = found.has_secret
        try:
            found = change_judge(judge=found, **form.settings())
        except PortalError as error:
            error.show_on(form)
        else:
            if had_secret and not found.has_secret:
                messages.warning(request, "Changes saved. The API key is no longer stored.")
            else:
                messages.success(request, "Changes saved.")
            return redirect("evaluations:judge", found.id)
    return _page(request, found, form)


@require_POST
@transaction.non_atomic_requests
@members_only(Action.JUDGES_MANAGE)
def trial(request: TenantRequest, judge_id: UUID) -> HttpResponse:
    """Have the judge grade the example, and show all of it: alone to htmx, else on the whole page."""
    found = _named(judge_id)
    result = try_judge(judge=found)
    if request.htmx:
        return render(request, "evaluations/judges/_trial.html", {"trial": result})
    return _page(request, found, _form_of(found), result)


@require_POST
@members_only(Action.JUDGES_MANAGE)
def delete(request: TenantRequest, judge_id: UUID) -> HttpResponse:
    """Delete a judge and its API key."""
    found = _named(judge_id)
    delete_judge(judge=found)
    messages.success(request, f"Judge “{found.name}” deleted.")
    return redirect("evaluations:judges")


def _named(judge_id: UUID) -> Judge:
    return get_object_or_404(Judge.objects.all(), pk=judge_id)


def _form_of(found: Judge) -> JudgeForm:
    return JudgeForm(initial={name: getattr(found, name) for name in FIELDS}, stored_for=found.secret_host)


def _page(request: TenantRequest, found: Judge, form: JudgeForm, result: Trial | None = None) -> HttpResponse:
    context = {"judge": found, "form": form, "trial": result, "panels": render_panels(found, request)}
    return render(request, "evaluations/judges/judge.html", context)
