"""What the address of a grid asks for: which models it compares, which rows it shows, and in which order."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from evaluations.metrics import metrics
from evaluations.metrics.base import RowMetric
from evaluations.models import EvaluationRun
from evaluations.runs.grid.columns import columns_of, condition_of
from evaluations.runs.report import metric_title, shown
from evaluations.runs.stages.grading import GRADE
from evaluations.runs.stages.held_out import ALL

Choices = list[tuple[str, str]]

SHOWS = {
    "worse": "Got worse",
    "better": "Got better",
    "differs": "Answers differ",
    "disputed": "Judge and experts differ",
    "graded": "Graded by experts",
    "commented": "With comments",
    "unsure": "Low confidence",
}
LENGTHS = {"short": "Shortest third", "middle": "Middle third", "long": "Longest third"}
ORDERS = {
    "position": "Row number",
    "worse": "Got worse first",
    "uncertain": "Most uncertain first",
    GRADE: "Lowest judge grade first",
    f"-{GRADE}": "Highest judge grade first",
    "length": "Shortest prompt first",
    "-length": "Longest prompt first",
}
BY_LIKENESS = {
    "-likeness": "Most like training rows first",
    "likeness": "Least like training rows first",
}
SIZES = (25, 50, 100)
LONGEST_SEARCH = 200


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The rows that a query string asks for. Names are those of its parameters; `model` and `against` are keys.

    A row is shown if it meets every condition. `where` are conditions such as `topic:billing`, one of a column. An
    empty `sort` is the usual order.
    """

    model: str = ""
    against: str = ""
    show: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    slice: str = ""
    where: tuple[str, ...] = ()
    length: str = ""
    q: str = ""
    sort: str = ""
    size: int = SIZES[0]

    @property
    def filters(self) -> bool:
        """Whether rows may be left out."""
        return bool(self.show or self.wrong or self.slice or self.where or self.length or self.q)

    def address(self, **changes: Any) -> str:
        """The query string, without what is usual. `changes` replace fields."""
        changed, usual = replace(self, **changes), Wanted()
        values = {one.name: getattr(changed, one.name) for one in fields(self)}
        return urlencode({name: value for name, value in values.items() if value != getattr(usual, name)}, doseq=True)

    def without_filters(self) -> str:
        """The query string for all rows, of the same models in the same order."""
        return self.address(show=(), wrong=(), slice="", where=(), length="", q="")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What each parameter may be, with the text that people choose by."""

    models: Choices = field(default_factory=list)
    slices: Choices = field(default_factory=list)
    lengths: Choices = field(default_factory=list)
    columns: dict[str, dict[str, int]] = field(default_factory=dict)
    orders: Choices = field(default_factory=list)
    sizes: Choices = field(default_factory=list)


def options_of(run: EvaluationRun) -> Options:
    """The choices of an evaluation; before it has figures, rows cannot be sorted by them."""
    orders = dict(ORDERS) if run.summary else {"position": ORDERS["position"]}
    if run.summary and run.summary[ALL].get("likeness"):
        orders |= BY_LIKENESS
    for alias in sortable(run):
        title = metric_title(alias)
        orders |= {alias: f"Lowest {title} first", f"-{alias}": f"Highest {title} first"}
    models = [(model.key, model.name) for model in run.models.all()]
    if len(models) == 1:
        # Nothing that it could be worse than.
        orders.pop("worse", None)
    return Options(
        models=models,
        slices=[(name, name) for name in sorted(run.summary) if name != ALL],
        lengths=list(LENGTHS.items()),
        columns=columns_of(run),
        orders=list(orders.items()),
        sizes=[(str(size), f"{size} rows") for size in SIZES],
    )


def sortable(run: EvaluationRun) -> list[str]:
    """The metrics shown that score each row."""
    if not run.summary:
        return []
    aliases = shown(next(iter(run.summary[ALL]["figures"].values()), ()))
    return [alias for alias in aliases if isinstance(metrics.get(alias), RowMetric)]


def wanted_by(data: QueryDict, options: Options) -> Wanted:
    """What a query string asks for. What is not known counts as not given."""
    keys = [key for key, _ in options.models]
    size = _one(data.get("size", ""), (value for value, _ in options.sizes))
    return Wanted(
        model=_one(data.get("model", ""), keys),
        against=_one(data.get("against", ""), keys),
        show=tuple(name for name in SHOWS if name in data.getlist("show")),
        wrong=tuple(key for key in keys if key in data.getlist("wrong")),
        slice=_one(data.get("slice", ""), (name for name, _ in options.slices)),
        where=tuple(_conditions(data.getlist("where"), options)),
        length=_one(data.get("length", ""), LENGTHS),
        q=data.get("q", "").replace("\x00", "").strip()[:LONGEST_SEARCH],
        sort=_one(data.get("sort", ""), (name for name, _ in options.orders)),
        size=int(size) if size else SIZES[0],
    )


def _conditions(values: Iterable[str], options: Options) -> Iterable[str]:
    """Those of known columns, the last of each."""
    known = {found[0]: value for value in values if (found := condition_of(value, options.columns))}
    return [value.replace("\x00", "") for value in known.values()]


def _one(value: str, known: Iterable[str]) -> str:
    return value if value in known else ""
