"""That rows mean nearly the same as training rows, beside what the check of a dataset finds."""

from django.urls import reverse

from corpora.versions.caveats import Caveat
from evaluations.models import EvaluationRun
from evaluations.runs.need.compared import need_of
from evaluations.runs.need.likeness_words import same_sentence
from evaluations.runs.stages.held_out import ALL

CODE = "evaluation:same_meaning"


def same_meaning(run: EvaluationRun) -> list[Caveat]:
    """The caveat, or none: without an encoder, and where no row is that similar."""
    likeness = run.summary.get(ALL, {}).get("likeness")
    if not likeness or not likeness["same"] or not likeness["same"]["rows"]:
        return []
    need = need_of(run)
    text = same_sentence(need) if need else ""
    if not text:
        return []
    return [
        Caveat(
            code=CODE,
            count=likeness["same"]["rows"],
            text=text,
            severity="warning",
            version_id=run.dataset_version_id,
            rows_url=f"{reverse('evaluations:detail', args=[run.id])}?sort=-likeness#rows",
        )
    ]
