"""The playground: one question to an adapter and to its base model. Asking runs outside a transaction."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from adapters.models import AdapterVersion
from evaluations.models import EvaluationItem
from serving.models import Route
from serving.playground.forms import AskForm
from serving.playground.panes import ADAPTER, BASE, Pane, Question, ask_all, questions_to
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
    """Ask base and adapter, and show both answers. To htmx, show where each will be, which then asks for itself."""
    route = _live(request.POST.get("alias"))
    offered = adapters_to_ask(used=_used(request), chosen=route)
    form = AskForm(request.POST, offered=offered)
    if route is None or not form.is_valid():
        shown = route or (_live(offered[0].alias) if offered else None)
        return _answered(request, _playground(shown.active.version, form) if shown else {}, status=422)
    _use(request, route)
    asked = _Asked(route, form)
    questions = questions_to(route)
    panes = [Pane(question=question) for question in questions] if request.htmx else asked.answers(questions)
    context = _playground(route.active.version, form, asked.expected)
    return _answered(request, {**context, "panes": [_shown(asked, pane) for pane in panes]})


@require_POST
@transaction.non_atomic_requests
@members_only(Action.PLAYGROUND_USE)
def ask_one(request: TenantRequest, key: str) -> HttpResponse:
    """The answer of the base or of the adapter, for htmx."""
    if key not in (BASE, ADAPTER):
        raise Http404
    route = _live(request.POST.get("alias"))
    form = AskForm(request.POST, offered=adapters_to_ask(used=_used(request), chosen=route))
    if route is None or not form.is_valid():
        # What was asked is no longer there, or the form was changed as soon as it was sent.
        return render(request, "serving/playground/_pane.html", {"key": key})
    asked = _Asked(route, form)
    [pane] = asked.answers([question for question in questions_to(route) if question.key == key])
    return render(request, "serving/playground/_pane.html", _shown(asked, pane))


class _Asked:
    """What a valid form asks of an adapter's route."""

    def __init__(self, route: Route, form: AskForm) -> None:
        self._route = route
        self._prompt: str = form.cleaned_data["prompt"]
        self._max_tokens: int = form.cleaned_data["max_tokens"]
        self._example = example_named(form.cleaned_data["example"], route.active.version)

    def answers(self, questions: list[Question]) -> list[Pane]:
        before = self._example.messages[:-1] if self._example else []
        messages = [*before, {"role": "user", "content": self._prompt}]
        tenant_id = self._route.tenant_id
        return ask_all(questions, tenant_id=tenant_id, messages=messages, max_tokens=self._max_tokens)

    @property
    def expected(self) -> EvaluationItem | None:
        """The held-out row asked, None for another question than its own: its answer is not what to expect then."""
        example = self._example
        return example if example and example.messages[-1]["content"] == self._prompt else None

    def expects(self, pane: Pane) -> bool:
        return self.expected is not None and pane.repeats(self.expected.reference)


def _shown(asked: _Asked, pane: Pane) -> dict[str, Any]:
    return {"key": pane.question.key, "pane": pane, "is_expected": asked.expects(pane)}


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


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
