"""Which review round a decision rests on, and what is fixed with it."""

from typing import Any

from evaluations.gates.licensing import licensed_control
from evaluations.models import Decision, EvaluatedModel, EvaluationRun, GatePolicy, ItemPart, Review, ReviewRound
from lorakit.gates.policy import parsed
from rest.errors import Conflict, PortalError

ASK_EXPERTS = ("experts", "judge", "severe_losses", "agreement")


def asks_experts(document: Any) -> bool:
    """Whether a policy has a condition about experts' reviews."""
    policy = parsed(document)
    return any(policy.asks(kind) for kind in ASK_EXPERTS)


def rounds_for(run: EvaluationRun) -> list[ReviewRound]:
    """The rounds of an evaluation in which its own version is graded, newest first."""
    own = EvaluatedModel.objects.filter(run=run, version=run.version_id)
    return list(ReviewRound.objects.filter(run=run, candidate__in=own).order_by("-number"))


def fixed_with(
    run: EvaluationRun, found: ReviewRound | None, policy: GatePolicy | None, earlier: list[Decision]
) -> dict[str, Any]:
    """What a decision keeps with its round: {round, attempt, control}.

    Raises Conflict if the policy was made after the first verdict, since thresholds chosen then prove nothing.
    """
    if found is None:
        return {"round": None, "attempt": 1, "control": None}
    if found.run_id != run.id or found.candidate.version_id != run.version_id:
        raise PortalError(
            "This review round is about other answers. Choose one of the evaluation.",
            code="decision:other_round",
            field="round",
        )
    reviews = Review.objects.filter(round_item__round=found, round_item__part=ItemPart.UNIFORM)
    first = reviews.order_by("created_at").values_list("created_at", flat=True).first()
    if first is not None and policy is not None and policy.created_at > first:
        raise Conflict(
            f"{found} had reviews before the policy was changed, so it cannot show what the policy asks. "
            "Start a new round.",
            code="decision:policy_after_reviews",
            field="round",
        )
    used = {one.round_id for one in earlier if one.round_id is not None} - {found.id}
    # The judge's map must come from earlier labels: not from verdicts that it is to control.
    control = licensed_control(run) if first is None else None
    return {"round": found, "attempt": len(used) + 1, "control": control}
