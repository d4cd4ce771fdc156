"""Tables of things, which are cards on a phone. Each column is written once: its title, its classes and its cell.

    {% table job in page_obj label="Jobs" page=page_obj %}
      {% column "Job" heading=True %}<a href="…">{{ job.title }}</a>{% endcolumn %}
      {% column "Cost" class="text-end" %}{{ job.cost_usd|usd }}{% endcolumn %}
    {% empty %}
      {% include "components/empty.html" with title="No jobs yet" %}
    {% endtable %}

The shell is `templates/components/table.html`.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from django import template
from django.forms.utils import flatatt
from django.template import Context, Engine, TemplateSyntaxError
from django.template.base import FilterExpression, Node, NodeList, Parser, Token, token_kwargs
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

Options = dict[str, FilterExpression]

IN_HEADER = "table_header_is_drawn"
"""In the context: whether columns draw their titles or their cells."""


@register.tag
def table(parser: Parser, token: Token) -> Node:
    """Draw a row for each thing, or what follows `{% empty %}`. `a, b in rows` takes pairs apart, as `for` does.

    `label` names the table for screen readers. `page` draws links to other pages. `class` is added to the table's
    own, and `testid` to its rows.
    """
    tag, *bits = token.split_contents()
    if "in" not in bits[:-1]:
        raise TemplateSyntaxError(f"Write {{% {tag} thing in things label=… %}}.")
    middle = bits.index("in")
    names = " ".join(bits[:middle]).replace(",", " ").split()
    options = _options(parser, bits[middle + 2 :], tag, {"label", "page", "class", "testid"})
    if "label" not in options:
        raise TemplateSyntaxError(f"{{% {tag} %}} needs a label for screen readers.")
    columns = parser.parse(("empty", "endtable"))
    empty = NodeList()
    if parser.next_token().contents == "empty":
        empty = parser.parse(("endtable",))
        parser.delete_first_token()
    return TableNode(names, parser.compile_filter(bits[middle + 1]), options, columns, empty)


@register.tag
def column(parser: Parser, token: Token) -> Node:
    """Name a column and draw its cells.

    `heading=True` marks the cell that names its row: it heads the card on a phone. The title of a `hidden=True` column
    is read to screen readers only. `class` is that of the title and the cells.
    """
    tag, *bits = token.split_contents()
    if not bits:
        raise TemplateSyntaxError(f"{{% {tag} %}} needs a title.")
    options = _options(parser, bits[1:], tag, {"class", "heading", "hidden"})
    cell = parser.parse(("endcolumn",))
    parser.delete_first_token()
    return ColumnNode(parser.compile_filter(bits[0]), options, cell)


def _options(parser: Parser, bits: list[str], tag: str, known: set[str]) -> Options:
    options = token_kwargs(bits, parser)
    if bits or not options.keys() <= known:
        raise TemplateSyntaxError(f"{{% {tag} %}} takes {', '.join(sorted(known))}.")
    return options


class TableNode(Node):
    """A table. Its columns are drawn once as titles, with the first row's values, and once for each row as cells."""

    child_nodelists = ("columns", "empty")

    def __init__(
        self, names: list[str], rows: FilterExpression, options: Options, columns: NodeList, empty: NodeList
    ) -> None:
        self.names = names
        self.rows = rows
        self.options = options
        self.columns = columns
        self.empty = empty

    def render(self, context: Context) -> SafeString:
        rows = list(self.rows.resolve(context) or ())
        if not rows:
            return self.empty.render(context)
        shell = {name: value.resolve(context) for name, value in self.options.items()}
        header = self._draw(context, rows[0], in_header=True)
        body = [self._draw(context, row, in_header=False) for row in rows]
        with context.push(table=shell, header=header, body=body, page_obj=shell.get("page")):
            return Engine.get_default().get_template("components/table.html").render(context)

    def _draw(self, context: Context, row: Any, *, in_header: bool) -> SafeString:
        with context.push(**self._named(row), **{IN_HEADER: in_header}):
            return self.columns.render(context)

    def _named(self, row: Any) -> dict[str, Any]:
        values: Iterable[Any] = (row,) if len(self.names) == 1 else row
        return dict(zip(self.names, values, strict=True))


class ColumnNode(Node):
    """A column's title or one of its cells, whichever its table draws."""

    child_nodelists = ("cell",)

    def __init__(self, title: FilterExpression, options: Options, cell: NodeList) -> None:
        self.title = title
        self.options = options
        self.cell = cell

    def render(self, context: Context) -> SafeString:
        title = self.title.resolve(context)
        options = {name: value.resolve(context) for name, value in self.options.items()}
        hidden, classes = options.get("hidden"), options.get("class")
        if context[IN_HEADER]:
            text = format_html('<span class="visually-hidden">{}</span>', title) if hidden else title
            return format_html('<th scope="col"{}>{}</th>', flatatt({"class": classes}), text)
        cell = self.cell.render(context)
        if not cell.strip():
            # Now it is `:empty`, which is left out of the card.
            cell = SafeString()
        if options.get("heading"):
            return SafeString(f'<th scope="row"{_attributes(classes, None)}>{cell}</th>')
        return SafeString(f"<td{_attributes(classes, None if hidden else title)}>{cell}</td>")


@lru_cache(10_000, typed=True)
def _attributes(classes: str | None, label: str | None) -> SafeString:
    """Of a cell; those of a column are the same in every row. Typed: a safe text is not the same as one that is not."""
    return flatatt({"class": classes, "data-label": label})
