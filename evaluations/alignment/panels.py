"""What alignments add to the pages of judges."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse

from evaluations.alignment.queries import offers_of, reports_of
from evaluations.models import AlignmentState, Judge


def alignment_panel(judge: Judge) -> tuple[str, Mapping[str, Any]]:
    """What came of aligning an organisation's judge with experts, and by which rubrics it can be."""
    reports = reports_of(judge)
    return "evaluations/alignment/_section.html", {
        "judge": judge,
        "reports": reports,
        "offers": offers_of(judge),
        "is_running": any(one.row.state == AlignmentState.RUNNING for one in reports),
        "page_url": reverse("evaluations:judge", args=[judge.id]),
    }


def shared_alignment_panel(alias: str) -> tuple[str, Mapping[str, Any]]:
    """Why a judge that the site offers is not aligned."""
    return "evaluations/alignment/_shared.html", {}
