"""What is kept with an evaluation's rows, as its pages filter by it and name it."""

from collections.abc import Mapping
from dataclasses import dataclass

from corpora.ingest.texts.language import language_name
from evaluations.models import EvaluationRun
from evaluations.runs.stages.held_out import ALL, LANGUAGE

MARK = ":"
"""Between a column and its value in an address."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A value of a column with its rows; `where` is what an address says."""

    where: str
    title: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class ColumnFilter:
    """A column by which rows can be filtered; `chosen` is what the address says, or empty."""

    number: int
    column: str
    title: str
    choices: list[Choice]
    chosen: str


def columns_of(run: EvaluationRun) -> dict[str, dict[str, int]]:
    """{column: {value: rows}}, the language first, most rows first; empty before the rows are scored."""
    stored = run.summary[ALL].get("columns", {}) if run.summary else {}
    found = {}
    for column in sorted(stored, key=lambda name: (name != LANGUAGE, name)):
        rows = {value: part["rows"] for value, part in stored[column].items()}
        found[column] = dict(sorted(rows.items(), key=lambda one: (-one[1], one[0])))
    return found


def columns_with_figures(run: EvaluationRun) -> list[str]:
    """Those whose values have figures of their own."""
    stored = run.summary[ALL].get("columns", {}) if run.summary else {}
    return [column for column in columns_of(run) if any("figures" in part for part in stored[column].values())]


def condition_of(where: str, columns: Mapping[str, Mapping[str, int]]) -> tuple[str, str] | None:
    """(column, value) of `topic:billing`; None where the column is not known. A name may contain the mark itself."""
    names = [column for column in columns if where.startswith(f"{column}{MARK}")]
    column = max(names, key=len, default=None)
    return None if column is None else (column, where[len(column) + 1 :])


def column_filters(run: EvaluationRun, chosen: Mapping[str, str]) -> list[ColumnFilter]:
    """The columns that tell some rows from others; `chosen` are values by column."""
    total = run.summary[ALL]["rows"] if run.summary else 0
    found = []
    for number, (column, values) in enumerate(columns_of(run).items()):
        offered = {**values, chosen[column]: values.get(chosen[column], 0)} if column in chosen else values
        if next(iter(values.values())) == total and column not in chosen:
            continue
        found.append(
            ColumnFilter(
                number=number,
                column=column,
                title=column_title(column),
                choices=[
                    Choice(where=f"{column}{MARK}{value}", title=value_title(column, value), rows=rows)
                    for value, rows in offered.items()
                ],
                chosen=f"{column}{MARK}{chosen[column]}" if column in chosen else "",
            )
        )
    return found


def column_title(column: str) -> str:
    """A customer's column as a label."""
    return "Language" if column == LANGUAGE else column


def value_title(column: str, value: str) -> str:
    """A value as people read it: languages by their names."""
    return language_name(value) if column == LANGUAGE else value
