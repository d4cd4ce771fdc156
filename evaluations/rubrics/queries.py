"""Reads of rubrics and their versions."""

from django.db.models import OuterRef, QuerySet, Subquery

from evaluations.models import Rubric, RubricVersion
from evaluations.rubrics.document import RubricDocument, parsed


def rubrics() -> QuerySet[Rubric]:
    """Newest first, each with the number, hash, content and time of its newest version."""
    newest = RubricVersion.objects.filter(rubric=OuterRef("id")).order_by("-number")
    return Rubric.objects.annotate(
        version=Subquery(newest.values("number")[:1]),
        sha256=Subquery(newest.values("sha256")[:1]),
        content=Subquery(newest.values("document")[:1]),
        changed_at=Subquery(newest.values("created_at")[:1]),
    )


def document_of(rubric: Rubric) -> RubricDocument:
    """The newest version of a rubric of `rubrics()`, under the rubric's name."""
    content = rubric.content  # type: ignore[attr-defined]
    return parsed({**content, "name": rubric.name})
