"""Tabler's icons in the site's size and weight: `{% load tablericons %}{% icon "database" %}`."""

from django import template
from tablericons.templatetags.tablericons import icon as draw

register = template.Library()


@register.simple_tag
def icon(name: str, size: int = 20, **attributes: object) -> str:
    """An outline icon, hidden from screen readers because the text next to it says the same."""
    style = "filled" if attributes.pop("filled", False) else "outline"
    attributes["class"] = f"icon {attributes.get('class', '')}".strip()
    return draw(f"{style}/{name}", size=size, stroke_width=1.75, aria_hidden="true", **attributes)
