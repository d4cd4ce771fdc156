"""Scores of listed versions: exact match and experts' mean in each one's latest evaluation."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Avg, F
from django.urls import reverse

from adapters.models import AdapterVersion
from adapters.versions.notes import Note, Notes
from evaluations.models import EvaluationRun, EvaluationState, Review
from evaluations.runs.report import percent
from evaluations.runs.stages.held_out import ALL
from evaluations.runs.stages.scoring import RIGHT


def score_notes(versions: Sequence[AdapterVersion]) -> Notes:
    """A note for each figure that is known."""
    ready = EvaluationRun.objects.filter(version__in=versions, state=EvaluationState.READY)
    newest = ready.order_by("version_id", "-created_at").distinct("version_id")
    figures = newest.values_list("id", "version", "version__number", f"summary__{ALL}__figures")
    experts = dict(
        Review.objects.filter(
            round_item__round__run__in=[run_id for run_id, *_ in figures],
            round_item__answer__model__version=F("round_item__round__run__version"),
            grade__isnull=False,
        )
        .order_by()
        .values_list("round_item__round__run")
        .annotate(Avg("grade"))
    )
    found: dict[UUID, list[Note]] = {}
    for run_id, version_id, number, by_model in figures:
        url = reverse("evaluations:detail", args=[run_id])
        score, grade = (by_model or {}).get(f"v{number}", {}).get(RIGHT), experts.get(run_id)
        known = (("Exact match", score, percent), ("Experts, 1 to 5", grade, "{:.1f}".format))
        found[version_id] = [
            Note(title=title, text=show(value), url=url) for title, value, show in known if value is not None
        ]
    return found
