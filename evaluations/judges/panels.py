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

SharedPanelSource = Callable[[str], tuple[str, Mapping[str, Any]]]
"""Of a judge that the site offers, by its alias."""

_sources: list[PanelSource] = []
_shared_sources: list[SharedPanelSource] = []


def register(source: PanelSource) -> None:
    """Call `source` for a panel whenever a judge's page is shown."""
    if source not in _sources:
        _sources.append(source)


def register_shared(source: SharedPanelSource) -> None:
    """The same for the page of a judge that the site offers."""
    if source not in _shared_sources:
        _shared_sources.append(source)


def render_shared_panels(alias: str, request: HttpRequest) -> list[SafeString]:
    """Every panel for this shared judge as HTML."""
    found = [source(alias) for source in _shared_sources]
    return [render_to_string(template, dict(context), request=request) for template, context in found]


def render_panels(judge: Judge, request: HttpRequest) -> list[SafeString]:
    """Every panel for this judge as HTML."""
    found = [source(judge) for source in _sources]
    return [render_to_string(template, dict(context), request=request) for template, context in found]
