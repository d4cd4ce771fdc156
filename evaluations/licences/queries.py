"""Reads of licences."""

from django.db.models import Q, QuerySet

from evaluations.judging.jurors import jury_fingerprint
from evaluations.models import Judge, Judging, Licence
from lorakit.stats.isotonic import Map


def licence_of(judging: Judging) -> Licence | None:
    """Of the judge, or of the jury as a whole, by the judging's rubric; None until it is first assessed."""
    return Licence.objects.filter(
        fingerprint=jury_fingerprint(judging.judges), rubric_version=judging.rubric_version_id
    ).first()


def licences_with(*, judge: Judge | None = None, alias: str = "") -> QuerySet[Licence]:
    """Of one judge and of juries that it sits on, newest first."""
    about = {"id": str(judge.id)} if judge else {"alias": alias}
    own = Q(judge=judge) if judge else Q(alias=alias)
    return Licence.objects.filter(own | Q(judges__contains=[about])).select_related("rubric_version__rubric")


def map_of(licence: Licence) -> Map | None:
    """From the judge's score to the experts' grade; None before there are labels enough."""
    if not licence.map:
        return None
    return Map(tuple(licence.map["scores"]), tuple(licence.map["grades"]))
