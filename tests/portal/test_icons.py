"""Icons are drawn by name; a page with a misspelt one must not reach anybody."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Template

from portal.templatetags.tablericons import icon

NAMED = re.compile(r'{% icon "([^"]+)"')


def test_every_icon_that_templates_name_exists() -> None:
    pages = Path(settings.BASE_DIR, "templates").rglob("*.html")
    names = {name for page in pages for name in NAMED.findall(page.read_text())}
    assert len(names) > 30
    for name in names:
        assert "<path" in icon(name), name


def test_an_icon_has_its_class_and_size_and_is_hidden_from_screen_readers() -> None:
    drawn = Template("""{% load tablericons %}{% icon "plus" size=16 class="icon-end" %}""").render(Context())
    assert drawn.startswith('<svg class="icon icon-end" width="16" height="16" ')
    assert 'aria-hidden="true"><path' in drawn


def test_an_icon_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(KeyError):
        icon("no-such-icon")
