"""Panels that higher rooms add to the page of a judge. They register here; this room knows none of them.

In an `AppConfig.ready`: `register(results)`, where `results(judge)` returns a template and its context.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from evaluations.models import Judge

PanelSource = Callable[[Judge], tuple[str, Mapping[str, Any]]]

_sources: list[PanelSource] = []


def register(source: PanelSource) -> None:
    """Call `source` for a panel whenever a judge's page is shown."""
    if source not in _sources:
        _sources.append(source)


def render_panels(judge: Judge, request: HttpRequest) -> list[SafeString]:
    """Every panel for this judge as HTML."""
    found = [source(judge) for source in _sources]
    return [render_to_string(template, dict(context), request=request) for template, context in found]
