"""An evaluation's summary as the text and numbers that pages show."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from evaluations.judges.backends import judges
from evaluations.metrics import metrics
from evaluations.runs.difference import SURE
from evaluations.runs.held_out import ALL
from evaluations.runs.scoring import SHOWN, TARGETS
from lorakit.stats.clusters import FEWEST_CLUSTERS

Summary = Mapping[str, Any]
TIE = 0.0005


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measure of base and adapter, as text. `trend` is 1 if the adapter is better, -1 if worse, else 0."""

    alias: str
    title: str
    note: str
    base: str
    adapter: str
    delta: str
    trend: int


@dataclass(frozen=True, kw_only=True)
class SliceReport:
    """The figures of one slice and whether its difference is real."""

    name: str
    rows: int
    figures: list[Figure]
    sentence: str

    @property
    def by_alias(self) -> dict[str, Figure]:
        """The figures under the metrics' aliases."""
        return {figure.alias: figure for figure in self.figures}


def reports(summary: Summary, *, judge: str) -> list[SliceReport]:
    """One report for each slice, the total first. `judge` is the alias of the judge that graded."""
    names = sorted(summary, key=lambda name: (name != ALL, name))
    return [
        SliceReport(
            name=name,
            rows=summary[name]["rows"],
            figures=[_figure(alias, summary[name], judge) for alias in shown(summary[name]["adapter"])],
            sentence=sentence(summary[name]),
        )
        for name in names
    ]


def headline(summary: Summary) -> SliceReport | None:
    """The total's figures, None before there are any."""
    return reports({ALL: summary[ALL]}, judge="")[0] if ALL in summary else None


def sentence(part: Summary) -> str:
    """Whether the difference in exact match is real, in plain words."""
    difference = part["difference"].get("exact_match")
    if difference is None:
        return ""
    base, adapter = (percent(part[target]["exact_match"]) for target in TARGETS)
    facts = f"The adapter gives the expected answer on {adapter} of {part['rows']} held-out rows, the base on {base}."
    if difference["p_value"] >= SURE:
        return f"{facts} This may be chance. More held-out rows are needed to tell them apart."
    # Runs from before prompts were counted have only rows.
    if difference["mean"] > 0 and difference.get("units", part["rows"]) < FEWEST_CLUSTERS:
        return f"{facts} At least {FEWEST_CLUSTERS} different held-out prompts are needed to call the adapter better."
    way = "more" if difference["mean"] > 0 else "fewer"
    least, most = sorted(abs(100 * difference[end]) for end in ("low", "high"))
    return f"{facts} This is unlikely to be chance: {least:.0f} to {most:.0f} points {way}, with 95% confidence."


def percent(share: float) -> str:
    """0.4213 as `42.1%`."""
    return f"{share:.1%}"


def in_order(aliases: Iterable[str]) -> list[str]:
    """Metrics in the order of the settings, then the judge; PostgreSQL keeps no order in JSON."""
    known = [*metrics, "judge"]
    return sorted(aliases, key=lambda alias: (known.index(alias) if alias in known else len(known), alias))


def shown(aliases: Iterable[str]) -> list[str]:
    """Those that pages have room for, and those that are no longer configured, in order."""
    hidden = set(metrics) - set(SHOWN)
    return [alias for alias in in_order(aliases) if alias not in hidden]


def metric_title(alias: str) -> str:
    """The metric's title, also of one that is no longer configured."""
    return metrics[alias].title if alias in metrics else alias.replace("_", " ")


def judge_label(alias: str) -> str:
    """The label of the judge."""
    return judges[alias].label if alias in judges else alias


def _figure(alias: str, part: Summary, judge: str) -> Figure:
    base, adapter = part["base"][alias], part["adapter"][alias]
    if alias == "judge":
        title, note = "Judge, 1 to 5", judge_label(judge) if judge else ""
    else:
        title, note = metric_title(alias), metrics[alias].note if alias in metrics else ""
    known = base is not None and adapter is not None
    change = adapter - base if known else 0.0
    return Figure(
        alias=alias,
        title=title,
        note=note,
        base=_value(alias, base),
        adapter=_value(alias, adapter),
        delta=_change(alias, change) if known else "",
        trend=(change > TIE) - (change < -TIE),
    )


def _value(alias: str, value: float | None) -> str:
    if value is None:
        return "n/a"
    return percent(value) if alias == "exact_match" else f"{value:.2f}"


def _change(alias: str, change: float) -> str:
    return f"{100 * change:+.1f} points" if alias == "exact_match" else f"{change:+.2f}"
