"""Reads of alignments."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from evaluations.agreement.labels import HAS_GRADES
from evaluations.alignment.measured import Figures
from evaluations.alignment.words import sentence
from evaluations.judges.configured import fingerprint
from evaluations.models import Alignment, AlignmentState, Judge, Judging, RubricVersion
from rest.errors import NotFound

HISTORY = 10

COLOURS = {
    AlignmentState.RUNNING: "azure",
    AlignmentState.MEASURED: "orange",
    AlignmentState.USED: "green",
    AlignmentState.DROPPED: "grey",
    AlignmentState.FAILED: "red",
    AlignmentState.STOPPED: "grey",
}


@dataclass(frozen=True, kw_only=True)
class Report:
    """An alignment as pages show it; `figures` is None before it is measured.

    `outdated` says why it does not count any more, although it is in use or could be.
    """

    row: Alignment
    figures: Figures | None
    outdated: str = ""

    @property
    def sentence(self) -> str:
        return sentence(self.figures) if self.figures else ""

    @property
    def colour(self) -> str:
        return COLOURS[AlignmentState(self.row.state)]

    @property
    def can_use(self) -> bool:
        return self.row.state == AlignmentState.MEASURED and not self.outdated

    @property
    def can_drop(self) -> bool:
        return self.row.state in (AlignmentState.MEASURED, AlignmentState.USED)


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A rubric in its newest version by which the judge has graded; None is correctness alone."""

    rubric_version: RubricVersion | None

    @property
    def name(self) -> str:
        return str(self.rubric_version or "Correctness")


def alignments() -> QuerySet[Alignment]:
    """Newest first, with the examples that are still there."""
    found: QuerySet[Alignment] = Alignment.objects.select_related("judge", "rubric_version__rubric", "job")
    return found.prefetch_related("examples").defer("measured", "progress")


def reports_of(judge: Judge) -> list[Report]:
    """The newest alignments of a judge."""
    found = alignments().filter(judge=judge).select_related("created_by", "decided_by")
    return [report_of(one) for one in found[:HISTORY]]


def report_of(row: Alignment) -> Report:
    """Of one that `alignments` read."""
    outdated = ""
    if row.state in (AlignmentState.MEASURED, AlignmentState.USED):
        if row.judge_fingerprint != fingerprint(row.judge):
            outdated = "The judge was changed since, so it grades without these examples. Align it again."
        elif len(row.examples.all()) < row.example_count:
            outdated = "An example was deleted with its evaluation, so the judge grades without any. Align it again."
    return Report(row=row, figures=Figures.from_dict(row.figures) if row.figures else None, outdated=outdated)


def offers_of(judge: Judge) -> list[Offer]:
    """Rubrics by which a judging of this judge has graded answers; of each rubric only its newest version."""
    graded = Judging.objects.filter(judges__contains=[{"id": str(judge.id)}], state__in=HAS_GRADES).order_by()
    used = set(graded.values_list("rubric_version", flat=True).distinct())
    newer = RubricVersion.objects.filter(rubric=OuterRef("rubric"), number__gt=OuterRef("number"))
    newest = RubricVersion.objects.filter(~Exists(newer), id__in=used).select_related("rubric").order_by("rubric__name")
    offers = [Offer(rubric_version=one) for one in newest]
    return [Offer(rubric_version=None), *offers] if None in used else offers


def rubric_version_named(rubric_version: str) -> RubricVersion | None:
    """By its ID, None for an empty one, which is correctness alone. Raises NotFound."""
    if not rubric_version:
        return None
    try:
        found = RubricVersion.objects.select_related("rubric").filter(id=UUID(rubric_version)).first()
    except ValueError:
        found = None
    if found is None:
        raise NotFound("Rubric not found.", field="rubric_version")
    return found
