"""Pages of decisions: open one, its verdict, what closes it, its evidence pack; and an adapter's policy."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from adapters.models import Adapter
from adapters.versions.queries import version_named
from evaluations.gates.forms import CommentForm, OpenForm, PolicyForm, ReasonForm, RoundForm
from evaluations.gates.links import link_of
from evaluations.gates.packs.download import pack_response
from evaluations.gates.policies import from_yaml, newest_policy, policy_of, to_yaml
from evaluations.gates.queries import decision_named, newest_decision
from evaluations.gates.rounds import asks_experts, rounds_for
from evaluations.gates.services import (
    approve,
    attach_round,
    open_decision,
    override,
    reject,
    set_policy,
    withdraw_approval,
)
from evaluations.gates.verdicts import verdict_of
from evaluations.models import Decision, GatePolicy
from lorakit.gates.policy import parsed
from rest.errors import PortalError
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest

MARKS = {"passes": "check", "fails": "x", "undecided": "hourglass", "not applicable": "minus"}
POLICIES_SHOWN = 20


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
@members_only(Action.EVALUATIONS_VIEW)
def decide(request: TenantRequest, version_id: UUID) -> HttpResponse:
    """The decision about a version, or the form that opens one. `?new` opens another after a closed one."""
    version = version_named(version_id)
    newest = newest_decision(version)
    if request.method != "POST" and newest is not None and (newest.is_open or "new" not in request.GET):
        return redirect("evaluations:decision", newest.id)
    form = OpenForm(version, request.POST if request.method == "POST" else None, initial=_first_choices(request))
    if form.is_bound and not request.membership.may(Action.VERSIONS_PROMOTE):
        messages.error(request, "Your role doesn’t include opening decisions. Ask an owner of your organisation.")
    elif form.is_bound and form.is_valid():
        try:
            values = form.cleaned_data
            opened = open_decision(
                tenant=request.tenant,
                version=version,
                opened_by=request.membership.user,
                run=values["evaluation"],
                found_round=values["round"],
                leaves_out_leaks=values["leaves_out_leaks"],
            )
        except PortalError as error:
            error.show_on(form)
        else:
            return redirect("evaluations:decision", opened.id)
    context = {"version": version, "form": form, "policy": policy_of(version.adapter), "newest": newest}
    return render(request, "evaluations/gates/decide.html", context)


def _first_choices(request: TenantRequest) -> dict[str, Any]:
    return {"evaluation": request.GET.get("evaluation"), "leaves_out_leaks": True}


@require_safe
@members_only(Action.EVALUATIONS_VIEW)
def decision(request: TenantRequest, decision_id: UUID) -> HttpResponse:
    """The verdict, condition by condition, with approvals and what closes the decision."""
    return render(request, "evaluations/gates/decision.html", _context(request, decision_named(decision_id)))


def _context(request: TenantRequest, found: Decision) -> dict[str, Any]:
    verdict = verdict_of(found)
    person = request.membership.user
    return {
        "decision": found,
        "verdict": verdict,
        "conditions": [(one, MARKS[one.state], link_of(found, one)) for one in verdict.outcomes],
        "approvals": found.approvals.all(),
        "has_approved": any(approval.person_id == person.id for approval in found.approvals.all()),
        "trained_it": found.version.run.created_by_id == person.id,
        "asks_experts": asks_experts(found.document),
        "rounds": rounds_for(found.run) if found.is_open and found.round_id is None else [],
        "may_override": parsed(found.document).may_override,
    }


@require_POST
@members_only(Action.VERSIONS_PROMOTE)
def choose_round(request: TenantRequest, decision_id: UUID) -> HttpResponse:
    """Let the decision rest on a review round."""
    found = decision_named(decision_id)
    form = RoundForm(found, request.POST)
    if not form.is_valid():
        messages.error(request, "Choose a review round of this evaluation.")
        return redirect("evaluations:decision", found.id)
    chosen = form.cleaned_data["round"]
    return _done(request, found, lambda: attach_round(decision=found, found=chosen), f"{chosen} decides.")


@require_POST
@members_only(Action.DECISIONS_APPROVE)
def approve_decision(request: TenantRequest, decision_id: UUID) -> HttpResponse:
    """Approve of the version, or take one's approval back (`withdraw`)."""
    found, person = decision_named(decision_id), request.membership.user
    if "withdraw" in request.POST:
        return _done(request, found, lambda: withdraw_approval(decision=found, person=person), "Approval withdrawn.")
    form = CommentForm(request.POST)
    comment = form.cleaned_data["comment"] if form.is_valid() else ""
    return _done(request, found, lambda: approve(decision=found, person=person, comment=comment), "Approved.")


@require_POST
@members_only(Action.DECISIONS_APPROVE)
def reject_decision(request: TenantRequest, decision_id: UUID) -> HttpResponse:
    """Close the decision without a promotion."""
    found, reason = decision_named(decision_id), _reason(request)
    return _done(
        request, found, lambda: reject(decision=found, reason=reason, closed_by=request.membership.user), "Rejected."
    )


@require_POST
@members_only(Action.GATES_MANAGE)
def override_decision(request: TenantRequest, decision_id: UUID) -> HttpResponse:
    """Clear the version for promotion whatever the verdict."""
    found, reason = decision_named(decision_id), _reason(request)
    return _done(
        request,
        found,
        lambda: override(decision=found, reason=reason, closed_by=request.membership.user),
        "Verdict overridden. The version can be promoted.",
    )


def _reason(request: TenantRequest) -> str:
    form: forms.Form = ReasonForm(request.POST)
    return form.cleaned_data["reason"] if form.is_valid() else ""


def _done(request: TenantRequest, found: Decision, write: Any, text: str) -> HttpResponse:
    try:
        with transaction.atomic():
            write()
    except PortalError as error:
        messages.error(request, error.text)
    else:
        messages.success(request, text)
    return redirect("evaluations:decision", found.id)


@require_safe
@transaction.non_atomic_requests
@members_only(Action.EVALUATIONS_VIEW)
def pack(request: TenantRequest, decision_id: UUID) -> FileResponse:
    """The evidence pack."""
    return pack_response(decision_named(decision_id))


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.EVALUATIONS_VIEW)
def policy(request: TenantRequest, adapter_id: UUID) -> HttpResponse:
    """An adapter's policy: its conditions, and for owners its text to change."""
    adapter = get_object_or_404(Adapter.objects.all(), pk=adapter_id)
    current = policy_of(adapter)
    form = PolicyForm(request.POST if request.method == "POST" else None, initial={"document": to_yaml(current)})
    if form.is_bound and not request.membership.may(Action.GATES_MANAGE):
        messages.error(request, "Only owners of your organisation can change a policy.")
        return redirect("evaluations:policy", adapter.id)
    if form.is_bound and form.is_valid():
        try:
            changed = from_yaml(form.cleaned_data["document"])
            set_policy(tenant=request.tenant, adapter=adapter, policy=changed, set_by=request.membership.user)
        except PortalError as error:
            error.show_on(form)
        else:
            messages.success(request, "Policy saved. It counts for decisions that are opened from now on.")
            return redirect("evaluations:policy", adapter.id)
    context = {
        "adapter": adapter,
        "form": form,
        "own": newest_policy(adapter),
        "versions": GatePolicy.objects.filter(adapter=adapter).select_related("created_by")[:POLICIES_SHOWN],
    }
    return render(request, "evaluations/gates/policy.html", context)


@require_safe
@members_only(Action.EVALUATIONS_VIEW)
def export_policy(request: TenantRequest, adapter_id: UUID) -> HttpResponse:
    """The policy as a YAML file."""
    adapter = get_object_or_404(Adapter.objects.all(), pk=adapter_id)
    header = content_disposition_header(as_attachment=True, filename=f"{adapter.name}-policy.yaml")
    content = to_yaml(policy_of(adapter))
    return HttpResponse(content, content_type="application/yaml", headers={"Content-Disposition": header or ""})
