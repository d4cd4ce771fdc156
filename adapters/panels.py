"""What higher floors show on the page of an adapter version: they register, this floor knows none of them.

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
    """A template and its context; it is rendered with the request, so `{% csrf_token %}` works."""

    template: str
    context: Mapping[str, Any] = field(default_factory=dict)


PanelSource = Callable[[AdapterVersion], Panel | None]

_sources: list[PanelSource] = []


def register(source: PanelSource) -> None:
    """Ask `source` for a panel whenever a version's page is shown; None shows nothing."""
    if source not in _sources:
        # INSTALLED_APPS begins with the highest floor, the page with the lowest: evaluate, then promote.
        _sources.insert(0, source)


def render_panels(version: AdapterVersion, request: HttpRequest) -> list[SafeString]:
    """Every panel for this version as HTML, lower floors first."""
    panels = [source(version) for source in _sources]
    return [render_to_string(p.template, dict(p.context), request=request) for p in panels if p is not None]
