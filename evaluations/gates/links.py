"""Where the evidence of a condition is to be seen."""

from django.urls import reverse

from evaluations.models import Decision
from lorakit.gates.outcome import Outcome


def link_of(decision: Decision, outcome: Outcome) -> str:
    """An address of the site, empty where there is nothing to see."""
    if outcome.evidence == "evaluation":
        return reverse("evaluations:detail", args=[decision.run_id])
    if outcome.evidence == "figures":
        return reverse("evaluations:figures", args=[decision.run_id])
    if outcome.evidence == "judge":
        return f"{reverse('evaluations:figures', args=[decision.run_id])}#judgings"
    if outcome.evidence == "data":
        return reverse("corpora:version", args=[decision.run.dataset_version_id])
    if outcome.evidence == "round" and decision.round_id is not None:
        return reverse("evaluations:review-round", args=[decision.round_id])
    return "#approvals" if outcome.evidence == "approvals" else ""
