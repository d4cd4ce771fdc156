"""Panels that higher floors add to the page of an adapter version. They register here; this floor knows none of them.

In an `AppConfig.ready`: `register(latest_scores)`, where `latest_scores(version)` returns a `Panel` or None.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from adapters.models import AdapterVersion


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A template and its context; it is rendered with the request, so `{% csrf_token %}` works.

    `facts` are (what, value) as text for the version's card, under `title`; without any the card leaves it out.
    """

    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    facts: tuple[tuple[str, str], ...] = ()


PanelSource = Callable[[AdapterVersion], Panel | None]

_sources: list[PanelSource] = []


def register(source: PanelSource) -> None:
    """Call `source` for a panel whenever a version's page is shown. None shows nothing."""
    if source not in _sources:
        # INSTALLED_APPS begins with the highest floor, the page with the lowest: evaluate, then promote.
        _sources.insert(0, source)


def panels_of(version: AdapterVersion) -> list[Panel]:
    """Every panel for this version, lower floors first."""
    return [panel for source in _sources if (panel := source(version)) is not None]


def render_panels(version: AdapterVersion, request: HttpRequest) -> list[SafeString]:
    """Every panel for this version as HTML, lower floors first."""
    return [render_to_string(p.template, dict(p.context), request=request) for p in panels_of(version)]
