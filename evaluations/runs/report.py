"""An evaluation's summary as the text and numbers that pages show."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from evaluations.metrics import metrics
from evaluations.models import ALTERNATIVES, EvaluationRun
from evaluations.runs.contenders import BASE
from evaluations.runs.stages.grading import GRADE
from evaluations.runs.stages.held_out import ALL
from evaluations.runs.stages.scoring import RIGHT, SHOWN
from lorakit.stats.clusters import FEWEST_CLUSTERS
from lorakit.stats.difference import SURE

Summary = Mapping[str, Any]
TIE = 0.0005


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measure of a model beside another one, as text; `against` and `delta` are empty without another.

    `trend` is 1 if the model is better, -1 if worse, else 0.
    """

    alias: str
    title: str
    note: str
    against: str
    own: str
    delta: str
    trend: int


@dataclass(frozen=True, kw_only=True)
class SliceReport:
    """A model beside the one called `against` in one slice, and whether their difference is real.

    `verdict` is `better`, `worse`, `unclear` or `too few`; empty where they were not compared. Without another model
    `against` is empty.
    """

    name: str
    rows: int
    against: str
    figures: list[Figure]
    sentence: str
    verdict: str

    @property
    def by_alias(self) -> dict[str, Figure]:
        """The figures under the metrics' aliases."""
        return {figure.alias: figure for figure in self.figures}


def reports(run: EvaluationRun, model: str = "", against: str = "") -> list[SliceReport]:
    """One report for each slice, the total first.

    `model` and `against` are models' keys; by default the one that the evaluation is about and what
    `compared_with` says.
    """
    names = sorted(run.summary, key=lambda name: (name != ALL, name))
    return [_report(run, name, model or run.own_key, against or compared_with(run)) for name in names]


def column_reports(run: EvaluationRun, column: str, model: str, against: str) -> list[SliceReport]:
    """One report for each value of a column, most rows first; without a judge's grades. Empty without figures."""
    parts = run.summary[ALL].get("columns", {}).get(column, {})
    known = sorted(
        ((value, part) for value, part in parts.items() if "figures" in part), key=lambda one: (-one[1]["rows"], one[0])
    )
    names = names_of(run)
    return [_report_of(part, value, {}, "", model, against, names) for value, part in known]


def headline(run: EvaluationRun) -> SliceReport | None:
    """The total's figures, None before there are any."""
    return _report(run, ALL, run.own_key, compared_with(run)) if ALL in run.summary else None


def compared_with(run: EvaluationRun) -> str:
    """The key of the model that the own one is compared with: the base, else the first other, else itself.

    It is never an alternative to training, so that the verdict stays the same whether there are any.
    """
    own = run.own_key
    others = [key for key in run.summary[ALL]["figures"] if key != own and key not in ALTERNATIVES]
    return BASE if BASE in others else others[0] if others else own


def names_of(run: EvaluationRun) -> dict[str, str]:
    """{key: name} of the models of an evaluation."""
    return {model.key: model.name for model in run.models.all()}


def sentence(part: Summary, own: str, against: str, names: Mapping[str, str]) -> str:
    """Whether the difference in exact match is real, in plain words. `names` are the models' names by key."""
    figures = part["figures"]
    if own == against or any(figures[key].get(RIGHT) is None for key in (own, against)):
        return ""
    mine, other = (percent(figures[key][RIGHT]) for key in (own, against))
    called = {**names, BASE: "the base"}
    who, whom = called.get(own, own), called.get(against, against)
    begin = "The base" if own == BASE else who
    facts = f"{begin} gives the expected answer on {mine} of {part['rows']} held-out rows, {whom} on {other}."
    difference = difference_between(part, RIGHT, own, against)
    if difference is None or difference["p_value"] >= SURE:
        return f"{facts} This may be chance. More held-out rows are needed to tell them apart."
    if difference["verdict"] == "too few":
        return f"{facts} At least {FEWEST_CLUSTERS} different held-out prompts are needed to call {who} better."
    way = "more" if difference["mean"] > 0 else "fewer"
    least, most = sorted(abs(100 * difference[end]) for end in ("low", "high"))
    return f"{facts} This is unlikely to be chance: {least:.0f} to {most:.0f} points {way}, with 95% confidence."


def difference_of(part: Summary, metric: str, model: str, against: str) -> Mapping[str, Any] | None:
    """The entry of a slice's differences; None where they were not compared or there were too few rows."""
    return next(
        (
            entry
            for entry in part["differences"]
            if (entry["metric"], entry["model"], entry["against"]) == (metric, model, against)
        ),
        None,
    )


def difference_between(part: Summary, metric: str, model: str, against: str) -> Mapping[str, Any] | None:
    """Like `difference_of`, also where the two were compared the other way round."""
    found = difference_of(part, metric, model, against)
    if found is not None:
        return found
    back = difference_of(part, metric, against, model)
    if back is None:
        return None
    verdict = {"better": "worse", "worse": "better"}.get(back["verdict"], back["verdict"])
    turned = {"mean": -back["mean"], "low": -back["high"], "high": -back["low"], "verdict": verdict}
    return {**back, "model": model, "against": against, **turned}


def percent(share: float) -> str:
    """0.4213 as `42.1%`."""
    return f"{share:.1%}"


def in_order(aliases: Iterable[str]) -> list[str]:
    """Metrics in the order of the settings, then the judge; PostgreSQL keeps no order in JSON."""
    known = [*metrics, GRADE]
    return sorted(aliases, key=lambda alias: (known.index(alias) if alias in known else len(known), alias))


def shown(aliases: Iterable[str]) -> list[str]:
    """Those that pages have room for, and those that are no longer configured, in order."""
    hidden = set(metrics) - set(SHOWN)
    return [alias for alias in in_order(aliases) if alias not in hidden]


def metric_title(alias: str) -> str:
    """The metric's title, also of one that is no longer configured."""
    return metrics[alias].title if alias in metrics else alias.replace("_", " ")


def _report(run: EvaluationRun, name: str, own: str, other: str) -> SliceReport:
    judging = run.last_judging
    grades = judging.summary.get(name, {}).get("figures", {}) if judging else {}
    by_model = {key: {GRADE: grades.get(key)} for key in (own, other)}
    return _report_of(run.summary[name], name, by_model, str(judging) if judging else "", own, other, names_of(run))


def _report_of(
    part: Summary,
    name: str,
    grades: Mapping[str, Mapping[str, Any]],
    note: str,
    own: str,
    other: str,
    names: Mapping[str, str],
) -> SliceReport:
    values = {key: {**part["figures"][key], **grades.get(key, {})} for key in (own, other)}
    is_alone = own == other
    return SliceReport(
        name=name,
        rows=part["rows"],
        against="" if is_alone else names.get(other, other),
        figures=[
            _figure(alias, None if is_alone else values[other][alias], values[own][alias], note, is_alone)
            for alias in shown(values[own])
        ],
        sentence=sentence(part, own, other, names),
        verdict=(difference_between(part, RIGHT, own, other) or {}).get("verdict", ""),
    )


def _figure(alias: str, against: float | None, own: float | None, judge: str, is_alone: bool) -> Figure:
    if alias == GRADE:
        title, note = "Judge, 1 to 5", judge
    else:
        title, note = metric_title(alias), metrics[alias].note if alias in metrics else ""
    known = against is not None and own is not None
    change = own - against if own is not None and against is not None else 0.0
    return Figure(
        alias=alias,
        title=title,
        note=note,
        against="" if is_alone else _value(alias, against),
        own=_value(alias, own),
        delta=_change(alias, change) if known else "",
        trend=(change > TIE) - (change < -TIE),
    )


def _value(alias: str, value: float | None) -> str:
    if value is None:
        return "n/a"
    return percent(value) if alias == RIGHT else f"{value:.2f}"


def _change(alias: str, change: float) -> str:
    return f"{100 * change:+.1f} points" if alias == RIGHT else f"{change:+.2f}"
