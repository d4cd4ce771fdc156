"""Tables of things: a column is written once, and each row is a card on a phone."""

import re
from pathlib import Path

import pytest
from django.core.paginator import Paginator
from django.template import RequestContext, Template, TemplateSyntaxError
from django.test import RequestFactory

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
COLUMNS = (
    '{% column "Name" heading=True %}{{ name }}{% endcolumn %}'
    '{% column "Cost" class="text-end" %}{{ cost }}{% endcolumn %}'
    '{% column "Action" hidden=True %}  {% endcolumn %}'
)


def draw(source: str, **context: object) -> str:
    request = RequestFactory().get("/?page=2&q=lease")
    return Template("{% load tables %}" + source).render(RequestContext(request, context))


def test_a_column_is_a_title_and_a_cell_in_each_row() -> None:
    source = "{% table name, cost in rows label=title testid='line' %}" + COLUMNS + "{% endtable %}"
    page = draw(source, rows=[("<b>", 3), ("c", 4)], title="Costs & more")
    assert 'aria-label="Costs &amp; more"' in page
    assert '<th scope="col">Name</th>' in page
    assert '<th scope="col" class="text-end">Cost</th>' in page
    assert '<th scope="col"><span class="visually-hidden">Action</span></th>' in page
    assert '<tr data-testid="line"><th scope="row">&lt;b&gt;</th>' in page
    assert '<td class="text-end" data-label="Cost">3</td><td></td></tr>' in page
    assert page.count('data-label="Cost"') == 2
    assert "rel=" not in page


def test_without_rows_it_says_so() -> None:
    source = "{% table name, cost in rows label='Costs' %}" + COLUMNS + "{% empty %}None yet{% endtable %}"
    assert draw(source, rows=[]) == draw(source) == "None yet"


def test_values_of_a_row_can_be_columns() -> None:
    source = "{% table row in rows label='Settings' %}{% for name, value in row.items %}{% column name %}{{ value }}"
    page = draw(source + "{% endcolumn %}{% endfor %}{% endtable %}", rows=[{"A": 1, "B": 2}, {"A": 3, "B": 4}])
    assert '<tr><th scope="col">A</th><th scope="col">B</th></tr>' in page
    assert '<td data-label="A">3</td><td data-label="B">4</td>' in page


def test_a_page_links_to_the_others() -> None:
    page = Paginator([str(number) for number in range(30)], 10).page(2)
    shown = draw(
        "{% table n in page label='N' page=page %}{% column 'N' %}{{ n }}{% endcolumn %}{% endtable %}", page=page
    )
    assert "11–20 of 30" in shown
    assert 'rel="next" href="?page=3&amp;q=lease"' in shown


@pytest.mark.parametrize(
    "source",
    [
        "{% table rows label='L' %}{% endtable %}",
        "{% table row in rows %}{% endtable %}",
        "{% table row in rows label='L' colour='red' %}{% endtable %}",
        "{% table row in rows label='L' %}{% column %}{% endcolumn %}{% endtable %}",
        "{% table row in rows label='L' %}{% column 'N' wide %}{% endcolumn %}{% endtable %}",
    ],
)
def test_a_slip_in_a_template_is_an_error(source: str) -> None:
    with pytest.raises(TemplateSyntaxError):
        draw(source)


def test_every_table_fits_on_a_phone() -> None:
    """As cards, or because it is small: two columns of settings or figures."""
    for path in TEMPLATES.rglob("*.html"):
        for table in re.findall("<table[^>]*>", path.read_text(encoding="utf-8")):
            assert "table-cards" in table or "table-sm" in table, path
