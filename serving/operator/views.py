"""The operator's pages of shared endpoints. Whatever asks an endpoint runs outside a transaction."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from adapters.models import BaseModel
from jobs.prices import price_of
from rest.errors import NotFound, PortalError
from serving.backends import endpoints
from serving.backends.base import EndpointBackend, Health
from serving.backends.errors import EndpointError
from serving.endpoints.queries import EndpointNotSetUp, backend_of
from serving.endpoints.services import (
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    make_default,
    make_endpoint,
    plan_change,
    plan_endpoint,
)
from serving.models import Endpoint
from serving.moves.services import move_tenant
from serving.operator.forms import DeleteForm, MoveForm, NewEndpointForm, OptionsForm
from serving.operator.options import facts_of, slots_of
from serving.operator.queries import (
    SORTS,
    adapters_on,
    alarms_on,
    drained_at,
    endpoint_of,
    line_of,
    lines,
    tenant_on,
    tenants_on,
)
from tenants.access import operators_only
from tenants.audit.actor import acting_as, operator
from tenants.requests import PortalRequest
from tenants.scope import tenant_scope

CONFIRM, EDIT = "confirm", "edit"
"""What a form's `step` says: carry out what was reviewed, or go back to it. Without one, it is reviewed."""


@require_safe
@operators_only
def index(request: HttpRequest) -> HttpResponse:
    """All endpoints."""
    found = lines()
    context = {"lines": found, "changing": any(line.is_passing for line in found)}
    return render(request, "serving/operator/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
@operators_only
def new(request: HttpRequest) -> HttpResponse:
    """The form of an endpoint on the alias `?alias=`; then what it costs, or whether it answers; then it is made."""
    alias = request.GET.get("alias") or next(iter(endpoints))
    if alias not in endpoints:
        raise NotFound("There is no such kind of endpoint.")
    form = NewEndpointForm(request.POST if request.method == "POST" else None, alias=alias)
    context = {"form": form, "alias": alias, "kinds": [(key, endpoints[key].title) for key in endpoints]}
    if form.is_bound and form.is_valid() and request.POST.get("step") != EDIT:
        wish = {"name": form.cleaned_data["name"], "backend": alias, "base_model": form.cleaned_data["base_model"]}
        try:
            if request.POST.get("step") == CONFIRM:
                made = create_endpoint(**wish, options=form.options)
                messages.success(request, f"Endpoint {made.name} added.")
                return redirect("operator:endpoint", made.id)
            planned = plan_endpoint(**wish, options=form.options)
        except PortalError as error:
            form.refuse(error)
        else:
            return render(
                request, "serving/operator/review.html", context | _review(alias, planned, wish["base_model"])
            )
    return render(request, "serving/operator/new.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
@operators_only
def change(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """The same form of an endpoint that is there."""
    found = _set_up(endpoint_of(endpoint_id))
    form = OptionsForm(request.POST if request.method == "POST" else None, alias=found.backend, options=_known(found))
    context = {"form": form, "endpoint": found, "alias": found.backend}
    if form.is_bound and form.is_valid() and request.POST.get("step") != EDIT:
        try:
            if request.POST.get("step") == CONFIRM:
                change_endpoint(endpoint=found, options=form.options)
                messages.success(request, f"{found.name} is being changed.")
                return redirect("operator:endpoint", found.id)
            planned = plan_change(endpoint=found, options=form.options)
        except PortalError as error:
            form.refuse(error)
        else:
            return render(
                request, "serving/operator/review.html", context | _review(found.backend, planned, found.base_model)
            )
    return render(request, "serving/operator/change.html", context)


@require_safe
@operators_only
def endpoint(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """One endpoint with its state, facts and tenants. It isn't asked how it is: `health` does that."""
    found = endpoint_of(endpoint_id)
    line, page = line_of(found), tenants_on(found, number=request.GET.get("page"))
    changing = line.is_passing or any(here.is_moving for here in page)
    if request.htmx and not changing:
        # What was waited for is over. The dialogs, which are not part of what is polled, have to know it too.
        return HttpResponseClientRefresh()
    return render(
        request,
        "serving/operator/endpoint.html",
        {
            "line": line,
            "endpoint": found,
            "facts": facts_of(found.backend, found.options) if line.backend else [],
            "slots": slots_of(found) if line.backend else None,
            "drained_at": drained_at(found),
            "alarms": alarms_on(found),
            "is_made_here": line.backend is not None and _is_made_here(line.backend),
            "page_obj": page,
            "changing": changing,
        },
    )


@require_safe
@operators_only
def adapters(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """The adapters that an endpoint holds, in the order `?sort=`."""
    found = endpoint_of(endpoint_id)
    sort = request.GET.get("sort", "")
    sort = sort if sort in SORTS else next(iter(SORTS))
    page = adapters_on(found, sort=sort, number=request.GET.get("page"))
    orders = [(key, title) for key, (title, _) in SORTS.items()]
    context = {"endpoint": found, "page_obj": page, "sort": sort, "orders": orders}
    return render(request, "serving/operator/adapters.html", context)


@require_safe
@transaction.non_atomic_requests
@operators_only
def health(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Whether an endpoint answers and how it scales: the part of its page that may be slow."""
    found = endpoint_of(endpoint_id)
    context: dict[str, Any] = {"endpoint": found}
    try:
        backend = backend_of(found)
    except EndpointNotSetUp as error:
        context["health"] = Health(ok=False, text=f"The settings don’t fit it any more. {error}")
    else:
        context["health"] = backend.health()
        context["scaling"] = _scaling(backend) if context["health"].base else []
    return render(request, "serving/operator/_health.html", context)


@require_POST
@operators_only
def create_again(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Make what is missing of an endpoint that failed."""
    found = endpoint_of(endpoint_id)
    try:
        make_endpoint(endpoint=found)
    except PortalError as error:
        messages.error(request, error.text)
    return redirect("operator:endpoint", found.id)


@require_POST
@operators_only
def default(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Let tenants without a place come here."""
    found = endpoint_of(endpoint_id)
    make_default(endpoint=found)
    messages.success(request, f"{found.name} is the default for {found.base_model} now.")
    return redirect("operator:endpoint", found.id)


@require_POST
@operators_only
def delete(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Delete an endpoint; its name has to be typed while it holds adapters."""
    found, form = endpoint_of(endpoint_id), DeleteForm(request.POST)
    typed = form.cleaned_data["name"] if form.is_valid() else ""
    if line_of(found).held and typed != found.name:
        messages.error(request, f"Nothing was deleted. Type {found.name} to confirm.")
        return redirect("operator:endpoint", found.id)
    try:
        delete_endpoint(endpoint=found)
    except PortalError as error:
        messages.error(request, error.text)
    return redirect("operator:endpoint", found.id)


@require_POST
@operators_only
def move(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Move a tenant to another endpoint, as the operator, in the tenant's scope."""
    found, form = endpoint_of(endpoint_id), MoveForm(request.POST, endpoint=endpoint_of(endpoint_id))
    if not form.is_valid():
        messages.error(request, " ".join(str(text) for texts in form.errors.values() for text in texts))
        return redirect("operator:endpoint", found.id)
    tenant, to = tenant_on(found, form.cleaned_data["tenant"]), form.cleaned_data["to"]
    try:
        with tenant_scope(tenant.id), acting_as(operator(request.user)):
            move_tenant(tenant=tenant, to=to)
    except PortalError as error:
        messages.error(request, error.text)
    else:
        messages.success(request, f"{tenant} is moving to {to.name}.")
    return redirect("operator:endpoint", found.id)


def _set_up(found: Endpoint) -> Endpoint:
    if found.backend not in endpoints:
        raise NotFound(f"The settings no longer describe “{found.backend}”, which this endpoint is made from.")
    return found


def _known(found: Endpoint) -> dict[str, Any]:
    own = {option.name for option in endpoints[found.backend].own}
    return {name: value for name, value in found.options.items() if name in own}


def _review(alias: str, planned: dict[str, Any], base_model: BaseModel) -> dict[str, Any]:
    """What is shown before anything is made: facts, and the price or whether the server answers with that base."""
    backend = endpoints.planned(alias, planned)
    health = None if _is_made_here(backend) else backend.health()
    has_other_base = health is not None and health.base not in ("", base_model.name)
    return {
        "backend": backend,
        "price": price_of(backend),
        "facts": facts_of(alias, planned),
        "health": health,
        "base_model": base_model,
        "has_other_base": has_other_base,
    }


def _is_made_here(backend: EndpointBackend) -> bool:
    try:
        return backend.provision() is not None
    except ValueError:
        # It lacks what it takes to make it, so it is one that could be.
        return True


def _scaling(backend: EndpointBackend) -> list[str]:
    try:
        return list(backend.scaling())
    except EndpointError as error:
        return [error.text]
