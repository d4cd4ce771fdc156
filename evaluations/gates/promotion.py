"""What a promotion asks: may this version take the place of what is live?"""

from django.urls import reverse

from adapters.models import AdapterVersion
from evaluations.gates.live import live_version_of
from evaluations.gates.policies import needs_people, newest_policy, policy_of
from evaluations.gates.queries import newest_decision
from evaluations.gates.services import open_decision, promote, replace
from evaluations.gates.verdicts import Verdict
from evaluations.models import CLEARED, Decision, DecisionState
from evaluations.runs.queries import latest_ready
from rest.errors import Conflict
from tenants.models import Tenant, User


def decision_for_promotion(
    *, tenant: Tenant, version: AdapterVersion, asked_by: User | None, on_newest: bool = False
) -> Decision:
    """The decision that clears or refuses the version: its last, or one opened now if the policy needs no people.

    With `on_newest`, one that passed does not count once evaluation, policy or live version are others. Call it outside
    a transaction, before `clear_for_promotion`. Raises Conflict: gate:no_decision.
    """
    found = newest_decision(version)
    if on_newest and found is not None and found.state == DecisionState.PROMOTED and _is_outdated(found):
        found = None
    if found is not None and found.is_automatic and found.is_open and _is_outdated(found):
        replace_outdated(found)
        found = None
    if found is not None and found.state != DecisionState.REPLACED:
        return found
    if needs_people(policy_of(version.adapter)):
        raise Conflict(
            f"The policy of {version.adapter} asks for a decision about {version}. Open one on its page first.",
            code="gate:no_decision",
            url=reverse("evaluations:decide", args=[version.id]),
        )
    try:
        return open_decision(tenant=tenant, version=version, opened_by=asked_by, is_automatic=True)
    except Conflict as error:
        found = newest_decision(version)
        if error.code != "decision:open" or found is None:
            raise
        # Another promotion of it was faster.
        return found


def clear_for_promotion(decision: Decision, *, asked_by: User | None) -> None:
    """Close the decision as promoted if its verdict passes. Nothing happens if it was promoted or overridden before.

    Call it in the promotion's transaction. Raises Conflict: gate:rejected, gate:refused.
    """
    if decision.state in CLEARED:
        return
    url = reverse("evaluations:decision", args=[decision.id])
    if decision.state == DecisionState.REJECTED:
        by = f" by {decision.closed_by}" if decision.closed_by else ""
        raise Conflict(
            f"{decision.version} was rejected{by}: {decision.reason} Open a new decision to decide again.",
            code="gate:rejected",
            url=url,
        )
    found = promote(decision, asked_by)
    if found.state != "passes":
        raise Conflict(_refusal(decision, found), code="gate:refused", url=url)


def _refusal(decision: Decision, found: Verdict) -> str:
    first = found.missing[0] if found.missing else None
    word = "does not pass" if found.state == "fails" else "is undecided"
    why = f" {first.title}: {first.shown}." if first else ""
    more = f" {first.why}" if first and first.why else ""
    return f"The verdict about {decision.version} {word}.{why}{more} See its decision for what is missing."


def _is_outdated(decision: Decision) -> bool:
    newest, live = latest_ready(decision.version), live_version_of(decision.version.adapter_id)
    against = live.id if live is not None and live.id != decision.version_id else None
    policy = newest_policy(decision.version.adapter)
    return (
        (newest is not None and newest.id != decision.run_id)
        or against != decision.against_id
        or (policy.id if policy else None) != decision.policy_id
    )


def replace_outdated(decision: Decision) -> None:
    """Close a decision that a promotion opened, unless somebody was faster."""
    try:
        replace(decision)
    except Conflict as error:
        if error.code != "decision:closed":
            raise
