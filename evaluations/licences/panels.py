"""What licences add to the pages of a judge and of an evaluation."""

from collections.abc import Mapping
from typing import Any

from evaluations.licences.corrected import standing_of
from evaluations.licences.queries import licences_with
from evaluations.models import EvaluationRun, Judge, LicenceChange

HISTORY = 20


def licence_panel(judge: Judge) -> tuple[str, Mapping[str, Any]]:
    """Licences of an organisation's judge, by rubric, and how they changed."""
    return "evaluations/licences/_licences.html", _about(judge=judge)


def shared_licence_panel(alias: str) -> tuple[str, Mapping[str, Any]]:
    """The same of a judge that the site offers."""
    return "evaluations/licences/_licences.html", _about(alias=alias)


def standings_panel(run: EvaluationRun) -> tuple[str, Mapping[str, Any]]:
    """What each judging's means are worth."""
    judgings = [judging for judging in run.judgings.all() if judging.has_grades]
    return "evaluations/licences/_standings.html", {"standings": [standing_of(one) for one in judgings], "run": run}


def _about(**whose: Any) -> dict[str, Any]:
    licences = list(licences_with(**whose)[:HISTORY])
    changes = LicenceChange.objects.filter(licence__in=licences).select_related("licence", "by")
    return {"licences": licences, "changes": changes[:HISTORY]}
