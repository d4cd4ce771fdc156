"""Excerpts of long row texts for lists."""

import json
import re
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

CHARACTERS = 1200
BEFORE_HIT = 300


@register.simple_tag
def excerpt(text: str, query: str = "") -> SafeString:
    """The start of `text`, or the part around the first match of `query`. All matches in it are marked."""
    pattern = re.compile(f"({re.escape(query)})", re.IGNORECASE) if query else None
    hit = pattern.search(text) if pattern else None
    start = max(0, hit.start() - BEFORE_HIT) if hit and hit.end() > CHARACTERS else 0
    shown = text[start : start + CHARACTERS]
    before, after = ("…" if start else ""), ("…" if start + CHARACTERS < len(text) else "")
    return format_html("{}{}{}", before, _marked(shown, pattern) if pattern else shown, after)


@register.filter
def as_json(value: Any) -> str:
    """A value as JSON, as it stands in the customer's file."""
    return json.dumps(value, ensure_ascii=False)


def _marked(text: str, pattern: re.Pattern[str]) -> SafeString:
    *parts, rest = pattern.split(text)
    marked = format_html_join("", "{}<mark>{}</mark>", zip(parts[::2], parts[1::2], strict=True))
    return format_html("{}{}", marked, rest)
