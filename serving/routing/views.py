"""Pages of routers: the list, and the editor, whose buttons work without JavaScript too.

Saving compiles the rules, and trying may ask a judge, so the editor runs outside a transaction.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rest.errors import PortalError
from serving.models import Router, RouterLearning
from serving.routing.checking import compiled
from serving.routing.confusion import confusion_of
from serving.routing.document import RouterDocument, RuleDraft, Target, document_of
from serving.routing.drafts import document_from, lines_of, place_of, step_of, stepped
from serving.routing.forms import NameForm, PromptsForm, RestForm
from serving.routing.live import live_router
from serving.routing.queries import hits_of_routers, hits_of_rules, models_to_choose, router_named, routers
from serving.routing.services import create_router, replace_router
from serving.routing.services import delete_router as delete
from serving.routing.trying import Tried, try_prompts
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest

MODELS_OFFERED = 500
"""Names that a browser offers while one types; others can be typed."""

EMPTY_RULE = RuleDraft(kind="keyword", texts=(), target="")


@require_safe
@members_only(Action.ENDPOINT_VIEW)
def index(request: TenantRequest) -> HttpResponse:
    """All routers."""
    found = list(routers())
    hits = hits_of_routers([router.name for router in found])
    lines = [(router, hits.get(router.name, 0)) for router in found]
    return render(request, "serving/routing/list.html", {"lines": lines})


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
@members_only(Action.ROUTERS_EDIT)
def new(request: TenantRequest) -> HttpResponse:
    """The editor of a router that does not exist yet."""
    if request.method != "POST":
        document = RouterDocument(rules=(EMPTY_RULE,))
        return _shown(request, None, document, NameForm(), RestForm(initial=_rest(document)))
    return _edited(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
@members_only(Action.ROUTERS_EDIT)
def router(request: TenantRequest, router_id: UUID) -> HttpResponse:
    """The editor of a router."""
    found = router_named(router_id)
    if request.method != "POST":
        document = document_of(found)
        return _shown(request, found, document, None, RestForm(initial=_rest(document)))
    return _edited(request, found)


@require_POST
@members_only(Action.ROUTERS_EDIT)
def delete_router(request: TenantRequest, router_id: UUID) -> HttpResponse:
    """Delete a router, and show the others."""
    found = router_named(router_id)
    delete(router=found)
    messages.success(request, f"Router {found.name} deleted.")
    return redirect("serving:routers")


def _edited(request: TenantRequest, found: Router | None) -> HttpResponse:
    """Carry out the button that was pressed: `save`, `try`, `add rule`, `add target`, or one of a row."""
    name = NameForm(request.POST) if found is None else None
    rest = RestForm(request.POST)
    pressed = request.POST.get("step", "save")
    is_valid = rest.is_valid()
    try:
        document = document_from(request.POST, rest.cleaned_data)
    except PortalError as error:
        error.show_on(rest)
        return _shown(request, found, RouterDocument(), name, rest, status=400)
    if pressed == "add rule":
        return _shown(request, found, replace(document, rules=(*document.rules, EMPTY_RULE)), name, rest)
    if pressed == "add target":
        return _shown(request, found, replace(document, targets=(*document.targets, Target(name=""))), name, rest)
    if step := step_of(pressed):
        return _shown(request, found, stepped(document, step), name, rest)
    if not is_valid:
        return _shown(request, found, document, name, rest)
    tried: list[Tried] | None = None
    fault: PortalError | None = None
    try:
        if pressed == "try":
            tried = _tried(request, found, document)
        elif pressed == "save" and (name is None or name.is_valid()):
            saved = _saved(request, found, document, name)
            messages.success(request, f"Router {saved.name} saved. Requests use it within a second.")
            return redirect("serving:router", saved.id)
    except PortalError as error:
        fault = error
        if place_of(error.field, "rules") is None and place_of(error.field, "targets") is None:
            error.show_on(name if name is not None and error.field == "name" else rest)
    return _shown(request, found, document, name, rest, fault=fault, tried=tried)


def _saved(request: TenantRequest, found: Router | None, document: RouterDocument, name: NameForm | None) -> Router:
    if found is None or name is not None:
        wanted = name.cleaned_data["name"] if name is not None else ""
        return create_router(tenant=request.tenant, name=wanted, document=document, created_by=request.membership.user)
    revision = request.POST.get("revision", "")
    seen = int(revision) if revision.isascii() and revision.isdecimal() and len(revision) < 10 else None
    return replace_router(router=found, document=document, seen_revision=seen)


def _tried(request: TenantRequest, found: Router | None, document: RouterDocument) -> list[Tried]:
    table = compiled(document)
    draft = found or Router(tenant=request.tenant, name="draft")
    return try_prompts(live_router(draft, document=document, table=table), lines_of(request.POST.get("prompts", "")))


def _rest(document: RouterDocument) -> dict[str, Any]:
    return {name: getattr(document, name) for name in ("default", "classifier", "judge", "floor")}


def _shown(
    request: TenantRequest,
    found: Router | None,
    document: RouterDocument,
    name: NameForm | None,
    rest: RestForm,
    *,
    fault: PortalError | None = None,
    tried: list[Tried] | None = None,
    status: int = 200,
) -> HttpResponse:
    learning = RouterLearning.objects.filter(router=found).defer("data").first() if found is not None else None
    report = learning.report if learning is not None else {}
    hits = hits_of_rules(found) if found is not None else {}
    wrong = {part: place_of(fault.field if fault else None, part) for part in ("rules", "targets")}
    context = {
        "router": found,
        # What the writer began from: a newer one must not slip in with a page that says what is wrong.
        "revision": request.POST.get("revision"),
        "rules": [(rule, hits.get(rule.id, 0), place == wrong["rules"]) for place, rule in enumerate(document.rules)],
        "targets": [(target, place == wrong["targets"]) for place, target in enumerate(document.targets)],
        "fault": fault,
        "hits": hits,
        "name": name,
        "rest": rest,
        "prompts": PromptsForm(request.POST if "prompts" in request.POST else None),
        "tried": tried,
        "report": report,
        "learning": learning,
        "confusion": confusion_of(report),
        "models": models_to_choose()[:MODELS_OFFERED],
    }
    return render(request, "serving/routing/router.html", context, status=status)
