"""Every write to policies and decisions."""

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from adapters.models import Adapter, AdapterVersion
from evaluations.gates.leaks import leaked_rows
from evaluations.gates.live import live_version_of
from evaluations.gates.policies import newest_policy
from evaluations.gates.queries import decision_named
from evaluations.gates.rounds import asks_experts, fixed_with, rounds_for
from evaluations.gates.verdicts import Verdict, computed, frozen
from evaluations.models import Approval, Decision, DecisionState, EvaluationRun, GatePolicy, ReviewRound, RoundState
from evaluations.reviews.rounds.services import close_round
from evaluations.runs.queries import latest_ready
from lorakit.gates.policy import DEFAULT, Policy, parsed
from rest.errors import Conflict, PortalError
from tenants.audit.services import record_event
from tenants.models import Tenant, User

MAX_REASON = 2000


@transaction.atomic
def set_policy(*, tenant: Tenant, adapter: Adapter, policy: Policy, set_by: User | None) -> GatePolicy | None:
    """Make this the adapter's policy for decisions opened from now on. None if it is the policy already."""
    Adapter.objects.select_for_update().get(id=adapter.id)
    newest = newest_policy(adapter)
    if (parsed(newest.document) if newest else DEFAULT) == policy:
        return newest
    made: GatePolicy = GatePolicy.objects.create(
        tenant=tenant,
        adapter=adapter,
        number=newest.number + 1 if newest else 1,
        document=policy.to_dict(),
        sha256=policy.sha256,
        created_by=set_by,
    )
    before = {"number": newest.number, "sha256": newest.sha256} if newest else {}
    record_event("policy.changed", made, before=before, after={"number": made.number, "sha256": made.sha256})
    return made


def open_decision(
    *,
    tenant: Tenant,
    version: AdapterVersion,
    opened_by: User | None,
    run: EvaluationRun | None = None,
    found_round: ReviewRound | None = None,
    leaves_out_leaks: bool = True,
    is_automatic: bool = False,
) -> Decision:
    """Open a decision about a version on an evaluation, by default its newest. Fixes everything that it rests on.

    Reads the training rows, so call it outside a transaction. Raises Conflict: decision:not_evaluated, decision:open.
    """
    run = run or latest_ready(version)
    if run is None:
        raise Conflict(f"{version} has not been evaluated. Evaluate it first.", code="decision:not_evaluated")
    if run.version_id != version.id:
        raise PortalError(
            f"This evaluation is about {run.title}. Choose one of {version}.",
            code="decision:other_version",
            field="evaluation",
        )
    leaked = leaked_rows(run)
    with transaction.atomic():
        Adapter.objects.select_for_update().get(id=version.adapter_id)
        earlier = Decision.objects.filter(version=version)
        if earlier.filter(state=DecisionState.OPEN).exists():
            raise Conflict(
                f"A decision about {version} is already open. Close it before you open another.", code="decision:open"
            )
        live = live_version_of(version.adapter_id)
        policy = newest_policy(version.adapter)
        document = policy.document if policy else DEFAULT.to_dict()
        if found_round is None and asks_experts(document):
            found_round = next(iter(rounds_for(run)), None)
        fixed = fixed_with(run, found_round, policy, list(earlier))
        decision: Decision = Decision.objects.create(
            tenant=tenant,
            version=version,
            number=(earlier.aggregate(last=Max("number"))["last"] or 0) + 1,
            against=live if live is not None and live.id != version.id else None,
            run=run,
            policy=policy,
            document=document,
            **fixed,
            leaked=leaked,
            leaves_out_leaks=leaves_out_leaks,
            is_automatic=is_automatic,
            created_by=opened_by,
        )
        after = {
            "evaluation": run.id,
            "policy": policy.number if policy else 0,
            "round": fixed["round"].number if fixed["round"] else None,
            "attempt": decision.attempt,
        }
        record_event("decision.opened", decision, after=after)
    return decision_named(decision.id)


@transaction.atomic
def attach_round(*, decision: Decision, found: ReviewRound) -> Decision:
    """Let an open decision that has no round rest on this one. Raises Conflict: decision:closed, decision:has_round."""
    current = _locked(decision)
    if current.round_id == found.id:
        return current
    if current.round_id is not None:
        raise Conflict(
            "This decision rests on a review round already. Close it to decide by another.", code="decision:has_round"
        )
    earlier = list(Decision.objects.filter(version=current.version_id).exclude(id=current.id))
    values = fixed_with(current.run, found, current.policy, earlier)
    Decision.objects.filter(id=current.id).update(**values)
    weight = (values["control"] or {}).get("weight", 0)
    after = {"round": found.number, "attempt": values["attempt"], "judge_weight": weight}
    record_event("decision.round_chosen", current, after=after)
    return decision_named(current.id)


@transaction.atomic
def approve(*, decision: Decision, person: User, comment: str = "") -> Approval:
    """Approve of the version. Twice is once. Raises Conflict: decision:closed, decision:own_version."""
    locked = _locked(decision)
    if locked.version.run.created_by_id == person.id:
        raise Conflict(
            f"You trained {locked.version}, so somebody else has to approve it.", code="decision:own_version"
        )
    approval, created = Approval.objects.get_or_create(
        tenant_id=locked.tenant_id, decision=locked, person=person, defaults={"comment": comment.strip()[:500]}
    )
    if created:
        record_event("decision.approved", locked, after={"approved_by": person.email})
    return approval


@transaction.atomic
def withdraw_approval(*, decision: Decision, person: User) -> None:
    """Take one's approval back. Does nothing without one. Raises Conflict: decision:closed."""
    locked = _locked(decision)
    if Approval.objects.filter(decision=locked, person=person).delete()[0]:
        record_event("decision.approval_withdrawn", locked, before={"approved_by": person.email})


@transaction.atomic
def reject(*, decision: Decision, reason: str, closed_by: User | None) -> Decision:
    """Close the decision: the version is not promoted. Raises Conflict: decision:closed."""
    locked = _locked(decision)
    return _close(locked, DecisionState.REJECTED, computed(locked), closed_by, _reason(reason))


@transaction.atomic
def override(*, decision: Decision, reason: str, closed_by: User | None) -> Decision:
    """Clear the version for promotion whatever the verdict. Raises Conflict: decision:closed, decision:no_override."""
    locked = _locked(decision)
    if not parsed(locked.document).may_override:
        raise Conflict("The policy of this adapter does not allow overriding a verdict.", code="decision:no_override")
    return _close(locked, DecisionState.OVERRIDDEN, computed(locked), closed_by, _reason(reason))


@transaction.atomic
def replace(decision: Decision) -> None:
    """Close a decision that a promotion opened and that newer evidence makes pointless."""
    locked = _locked(decision)
    _close(locked, DecisionState.REPLACED, computed(locked), None, "There is newer evidence.")


def promote(decision: Decision, closed_by: User | None) -> Verdict:
    """The verdict; if it passes, the decision is closed with it. Call it in the promotion's transaction."""
    locked = _locked(decision)
    found = computed(locked)
    if found.state == "passes":
        _close(locked, DecisionState.PROMOTED, found, closed_by, "")
    return found


def _close(decision: Decision, state: DecisionState, found: Verdict, closed_by: User | None, reason: str) -> Decision:
    decision.state = state
    decision.reason = reason
    decision.verdict = frozen(decision, found)
    decision.closed_at = timezone.now()
    decision.closed_by = closed_by
    decision.save(update_fields=["state", "reason", "verdict", "closed_at", "closed_by"])
    after = {"verdict": found.state, "evidence_sha256": found.evidence_sha256, "reason": reason}
    record_event(f"decision.{state}", decision, before={"state": DecisionState.OPEN}, after=after)
    review_round = decision.round
    if state != DecisionState.REPLACED and review_round is not None and review_round.state == RoundState.OPEN:
        # What was decided on stays as it was, in its evidence pack too.
        close_round(review_round=review_round)
    return decision


def _locked(decision: Decision) -> Decision:
    """The decision as it is now, locked. Raises Conflict if it is closed."""
    Decision.objects.select_for_update().get(id=decision.id)
    current = decision_named(decision.id)
    if not current.is_open:
        raise Conflict(
            f"This decision is closed: {current.get_state_display().lower()}. Open a new one to decide again.",
            code="decision:closed",
        )
    return current


def _reason(text: str) -> str:
    reason = text.strip()
    if not reason:
        raise PortalError("Give a reason. It is recorded.", code="decision:no_reason", field="reason")
    if len(reason) > MAX_REASON:
        raise PortalError(
            f"A reason can have up to {MAX_REASON:,} characters. Yours has {len(reason):,}.",
            code="decision:reason_too_long",
            field="reason",
        )
    return reason
