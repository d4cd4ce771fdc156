"""Tabler's icons in the site's size and weight: `{% load tablericons %}{% icon "database" %}`.

The package's own tag opens its archive of 6,000 icons again for each icon, which takes 60 ms.
"""

from functools import cache
from importlib.resources import files
from io import BytesIO
from zipfile import ZipFile

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.simple_tag
def icon(name: str, size: int = 20, **attributes: str) -> SafeString:
    """An outline icon, hidden from screen readers because the text next to it says the same."""
    return format_html(
        '<svg class="{}" width="{}" height="{}" viewBox="0 0 24 24" fill="none" stroke="currentColor"'
        ' stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{}</svg>',
        f"icon {attributes.get('class', '')}".strip(),
        size,
        size,
        _paths(name),
    )


@cache
def _paths(name: str) -> SafeString:
    """What is drawn. Raises KeyError for a name that Tabler doesn't have."""
    svg = _archive().read(f"outline/{name}.svg").decode()
    inside = svg[svg.index(">") + 1 : svg.rindex("</svg>")]
    return mark_safe("".join(line.strip() for line in inside.splitlines()))  # noqa: S308 - from the package


@cache
def _archive() -> ZipFile:
    # In memory, because processes that are forked later would share an open file's position.
    return ZipFile(BytesIO((files("tablericons") / "tablericons.zip").read_bytes()))
