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
from serving.playground.queries import OFFERED, adapters_to_ask, example_items, example_named
from serving.promotions.queries import live_routes
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest

USED, REMEMBERED = "playground_routes", 10
"""In the session: the routes asked last, the latest first, of all the person's organisations."""


@require_safe
@members_only(Action.PLAYGROUND_USE)
def playground(request: TenantRequest) -> HttpResponse:
    """The form; `?alias=` chooses an adapter, `?example=` fills in a held-out row.

    `?q=` offers adapters by a part of the model ID.
    """
    search = _alias(request.GET.get("q"))
    route = _live(request.GET.get("alias"))
    found = offered = adapters_to_ask(search, used=_used(request), chosen=route)
    if search and not found:
        offered = adapters_to_ask(used=_used(request))
    chosen = route or (_live(offered[0].alias) if offered else None)
    if chosen is None:
        return render(request, "serving/playground/playground.html")
    example = example_named(_uuid(request.GET.get("example")), chosen.active.version)
    initial = {"alias": chosen.alias}
    if example is not None:
        initial |= {"prompt": example.messages[-1]["content"], "example": str(example.id)}
    context = _playground(chosen.active.version, AskForm(initial=initial, offered=offered), example)
    return render(
        request, "serving/playground/playground.html", {**context, "q": search, "matches": len(found) if search else 0}
    )


@require_POST
@transaction.non_atomic_requests
@members_only(Action.PLAYGROUND_USE)
def ask(request: TenantRequest) -> HttpResponse:
    """Ask base and adapter, and show both answers: alone to htmx, else on the whole page."""
    route = _live(request.POST.get("alias"))
    offered = adapters_to_ask(used=_used(request), chosen=route)
    form = AskForm(request.POST, offered=offered)
    if route is None or not form.is_valid():
        shown = route or (_live(offered[0].alias) if offered else None)
        return _answered(request, _playground(shown.active.version, form) if shown else {}, status=422)
    _use(request, route)
    example = example_named(form.cleaned_data["example"], route.active.version)
    asked = [*(example.messages[:-1] if example else []), {"role": "user", "content": form.cleaned_data["prompt"]}]
    panes = ask_both(route=route, messages=asked, max_tokens=form.cleaned_data["max_tokens"])
    if example is not None and example.messages[-1]["content"] != form.cleaned_data["prompt"]:
        # Another question than the row's own, so the row's answer is not what to expect.
        example = None
    context = _playground(route.active.version, form, example)
    return _answered(request, {**context, "panes": _with_marks(panes, example)})


def _answered(request: TenantRequest, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    if request.htmx:
        # htmx swaps nothing in for an error status.
        return render(request, "serving/playground/_answers.html", context)
    return render(request, "serving/playground/playground.html", context, status=status)


def _playground(version: AdapterVersion, form: AskForm, example: EvaluationItem | None = None) -> dict[str, Any]:
    return {
        "form": form,
        "has_more": len(form.fields["alias"].choices) >= OFFERED,  # type: ignore[attr-defined]
        "version": version,
        "examples": example_items(version),
        "example": example,
    }


def _live(alias: str | None) -> Route | None:
    return live_routes().filter(alias=_alias(alias)).first()


def _alias(text: str | None) -> str:
    return (text or "").replace("\0", "").strip()[:60]


def _used(request: TenantRequest) -> list[str]:
    used: list[str] = request.session.get(USED, [])
    return used


def _use(request: TenantRequest, route: Route) -> None:
    """Remember that this adapter was asked last."""
    used = _used(request)
    if used[:1] != [str(route.id)]:
        request.session[USED] = [str(route.id), *(other for other in used if other != str(route.id))][:REMEMBERED]


def _with_marks(panes: list[Pane], example: EvaluationItem | None) -> list[tuple[Pane, bool]]:
    return [(pane, example is not None and pane.repeats(example.reference)) for pane in panes]


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
