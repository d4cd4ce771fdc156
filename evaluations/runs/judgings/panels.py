"""What higher rooms say of an evaluation's judgings. They register here; this room knows none of them.

In an `AppConfig.ready`: `register(standings)`, where `standings(run)` returns a template and its context.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from evaluations.models import EvaluationRun

PanelSource = Callable[[EvaluationRun], tuple[str, Mapping[str, Any]]]

_sources: list[PanelSource] = []


def register(source: PanelSource) -> None:
    """Call `source` for a panel whenever an evaluation's figures are shown."""
    if source not in _sources:
        _sources.append(source)


def render_panels(run: EvaluationRun, request: HttpRequest) -> list[SafeString]:
    """Every panel for this evaluation as HTML."""
    found = [source(run) for source in _sources]
    return [render_to_string(template, dict(context), request=request) for template, context in found]
