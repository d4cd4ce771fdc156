"""The operator's pages of base models."""

from collections.abc import Callable
from typing import cast
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from adapters.base_models.services import change_base_model, remove_base_model
from adapters.models import BaseModelWork
from adapters.offers.licence import licence_text
from adapters.offers.needs import SLOTS, USUAL
from adapters.operator.forms import AddForm, ChangeForm
from adapters.operator.places import allowed_folders, own_folder
from adapters.operator.queries import additions, base_model_of, line_of, lines, place_in_s3, work_of
from adapters.operator.services import discard_work, start_addition, start_check, stop_work, try_again
from adapters.recipes.measured import measured_on
from rest.errors import NotFound, PortalError
from tenants.access import operators_only
from tenants.models import User
from tenants.requests import PortalRequest

LIST = "base-models:list"


@require_safe
@operators_only
def index(request: HttpRequest) -> HttpResponse:
    """All base models, and those that are being added."""
    adding, found = additions(), lines()
    is_live = any(work.is_open for work in adding) or any(line.work and line.work.is_open for line in found)
    return render(request, "adapters/operator/list.html", {"lines": found, "additions": adding, "is_live": is_live})


@require_http_methods(["GET", "HEAD", "POST"])
@operators_only
def new(request: HttpRequest) -> HttpResponse:
    """The form of a new base model."""
    form = AddForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        source, name = form.cleaned_data["folder"], form.cleaned_data["name"]
        try:
            with transaction.atomic():
                start_addition(source=source, name=name, facts=form.facts, started_by=cast(User, request.user))
        except PortalError as error:
            error.show_on(form)
        else:
            messages.success(request, f"Adding {name} began.")
            return redirect(LIST)
    context = {"form": form, "folders": allowed_folders()}
    return render(request, "adapters/operator/new.html", context)


@require_safe
@operators_only
def detail(request: PortalRequest, base_model_id: UUID) -> HttpResponse:
    """One base model with its facts and what its last check found."""
    line = line_of(base_model_of(base_model_id))
    is_live = line.work is not None and line.work.is_open
    if request.htmx and not is_live:
        # What was waited for is over. The buttons, which are not part of what is polled, have to know it too.
        return HttpResponseClientRefresh()
    uri, is_set_by_site = place_in_s3(line.base_model)
    return render(
        request,
        "adapters/operator/detail.html",
        {
            "line": line,
            "base": line.base_model,
            "is_live": is_live,
            "usual": USUAL,
            "measured": measured_on(line.base_model),
            "slots": SLOTS,
            "uri": uri,
            "is_set_by_site": is_set_by_site,
            "has_licence_text": bool(licence_text(line.base_model)),
            "is_in_own_folder": line.base_model.location.startswith(f"{own_folder().resolve()}/"),
        },
    )


@require_safe
@operators_only
def licence(request: HttpRequest, base_model_id: UUID) -> HttpResponse:
    """The licence that came with it."""
    text = licence_text(base_model_of(base_model_id))
    if not text:
        raise NotFound("There is no licence text for this base model.")
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@require_http_methods(["GET", "HEAD", "POST"])
@operators_only
def change(request: HttpRequest, base_model_id: UUID) -> HttpResponse:
    """What the operator says of it, and where SageMaker finds it."""
    found = base_model_of(base_model_id)
    form = ChangeForm(request.POST) if request.method == "POST" else ChangeForm.of(found)
    if form.is_bound and form.is_valid():
        try:
            change_base_model(base_model=found, **form.cleaned_data)
        except PortalError as error:
            error.show_on(form)
        else:
            messages.success(request, "Changes saved.")
            return redirect("base-models:detail", found.id)
    return render(request, "adapters/operator/change.html", {"form": form, "base": found})


@require_POST
@operators_only
def check(request: HttpRequest, base_model_id: UUID) -> HttpResponse:
    """Check its files."""
    found = base_model_of(base_model_id)
    try:
        start_check(base_model=found, started_by=cast(User, request.user))
    except PortalError as error:
        messages.error(request, error.text)
    return redirect("base-models:detail", found.id)


@require_POST
@operators_only
def remove(request: HttpRequest, base_model_id: UUID) -> HttpResponse:
    """Take it off the site."""
    found = base_model_of(base_model_id)
    try:
        remove_base_model(base_model=found)
    except PortalError as error:
        messages.error(request, error.text)
        return redirect("base-models:detail", found.id)
    messages.success(request, f"{found.title} removed.")
    return redirect(LIST)


@require_POST
@operators_only
def stop(request: HttpRequest, work_id: UUID) -> HttpResponse:
    """Stop adding or checking."""
    work = work_of(work_id)
    return _done(request, work, stop_work)


@require_POST
@operators_only
def again(request: HttpRequest, work_id: UUID) -> HttpResponse:
    """Try once more."""
    work = work_of(work_id)
    return _done(request, work, try_again)


@require_POST
@operators_only
def discard(request: HttpRequest, work_id: UUID) -> HttpResponse:
    """Forget an addition that failed or was stopped."""
    work = work_of(work_id)
    return _done(request, work, discard_work)


def _done(request: HttpRequest, work: BaseModelWork, service: Callable[..., None]) -> HttpResponse:
    try:
        service(work=work)
    except PortalError as error:
        messages.error(request, error.text)
    return redirect("base-models:detail", work.base_model_id) if work.base_model_id else redirect(LIST)
