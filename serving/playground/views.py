"""The playground: one question to an adapter and to its base model. Asking runs outside a transaction."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from adapters.models import AdapterVersion
from evaluations.models import EvaluationItem
from serving.models import Route
from serving.playground.forms import AskForm
from serving.playground.panes import Pane, ask_both
from serving.playground.queries import example_items, example_named
from serving.promotions.queries import live_routes
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest


@require_safe
@members_only(Action.PLAYGROUND_USE)
def playground(request: TenantRequest) -> HttpResponse:
    """The form; `?alias=` chooses an adapter, `?example=` fills in a held-out row."""
    routes = list(live_routes())
    chosen = next((r for r in routes if r.alias == request.GET.get("alias")), routes[0] if routes else None)
    if chosen is None:
        return render(request, "serving/playground/playground.html", {"routes": routes})
    example = example_named(_uuid(request.GET.get("example")), chosen.active.version)
    initial = {"alias": chosen.alias}
    if example is not None:
        initial |= {"prompt": example.messages[-1]["content"], "example": str(example.id)}
    context = _playground(chosen.active.version, AskForm(initial=initial, routes=routes), routes, example)
    return render(request, "serving/playground/playground.html", context)


@require_POST
@transaction.non_atomic_requests
@members_only(Action.PLAYGROUND_USE)
def ask(request: TenantRequest) -> HttpResponse:
    """Ask base and adapter, and show both answers: alone to htmx, else on the whole page."""
    routes = list(live_routes())
    form = AskForm(request.POST, routes=routes)
    route = next((r for r in routes if r.alias == request.POST.get("alias")), None)
    if route is None or not form.is_valid():
        version = (route or routes[0]).active.version if routes else None
        context = _playground(version, form, routes) if version else {"routes": routes}
        return _answered(request, context, status=422)
    example = example_named(form.cleaned_data["example"], route.active.version)
    asked = [*(example.messages[:-1] if example else []), {"role": "user", "content": form.cleaned_data["prompt"]}]
    panes = ask_both(route=route, messages=asked, max_tokens=form.cleaned_data["max_tokens"])
    if example is not None and example.messages[-1]["content"] != form.cleaned_data["prompt"]:
        # Another question than the row's own, so the row's answer is not what to expect.
        example = None
    context = _playground(route.active.version, form, routes, example)
    return _answered(request, {**context, "panes": _with_marks(panes, example)})


def _answered(request: TenantRequest, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    if request.htmx:
        # htmx swaps nothing in for an error status.
        return render(request, "serving/playground/_answers.html", context)
    return render(request, "serving/playground/playground.html", context, status=status)


def _playground(
    version: AdapterVersion, form: AskForm, routes: list[Route], example: EvaluationItem | None = None
) -> dict[str, Any]:
    return {
        "routes": routes,
        "form": form,
        "version": version,
        "examples": example_items(version),
        "example": example,
    }


def _with_marks(panes: list[Pane], example: EvaluationItem | None) -> list[tuple[Pane, bool]]:
    return [(pane, example is not None and pane.repeats(example.reference)) for pane in panes]


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
