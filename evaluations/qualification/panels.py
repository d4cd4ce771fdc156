"""The part of a judge's page that says how it did."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse

from evaluations.models import Judge
from evaluations.qualification.queries import report_of

SECTION = "evaluations/qualification/_section.html"


def qualification_panel(judge: Judge) -> tuple[str, Mapping[str, Any]]:
    """Its latest test, or what a test is."""
    context = {
        "report": report_of(judge),
        "page_url": reverse("evaluations:judge", args=[judge.id]),
        "own": True,
        "is_automatic": judge.is_tested_automatically,
        "start_url": reverse("evaluations:judge-test", args=[judge.id]),
    }
    return SECTION, context
