"""Charts of a version's profile. Pure functions that return Plotly figures as plain dicts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from corpora.ingest.texts.language import language_name

MAX_BARS = 12
LEAST_BARS = 4
SPLITS = {"train": ("Train", "--chart-1"), "test": ("Test", "--chart-5")}
MAX_TABLE_ROWS = 100
FAR = 2
"""A limit is drawn up to this multiple of the axis's end. A farther one would squeeze the bars."""


NO_SLICE = "all"


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A figure with its data as a table (`columns`, `rows`), an optional `note`, and quantiles in `lengths`."""

    name: str
    title: str
    label: str
    figure: dict[str, Any]
    columns: tuple[str, ...]
    rows: list[tuple[str | int, ...]]
    note: str = ""
    lengths: Mapping[str, Any] = field(default_factory=dict)


def profile_charts(profile: Mapping[str, Any]) -> list[Chart]:
    """The charts of the profile tab, in order. Charts without data are left out."""
    return [*_length_charts(profile), *_count_charts(profile)]


def length_figure(lengths: Mapping[str, Any], *, unit: str = "characters", limit: int = 0) -> dict[str, Any]:
    """Histogram of rows by length. The last bar holds the long tail and is drawn as wide as the others.

    Bars at or beyond `limit` have another colour. The limit is drawn as a line unless it is far beyond the bars.
    """
    bins = lengths["bins"]
    width = bins[0]["high"] - bins[0]["low"]
    start = bins[0]["low"]
    trace = {
        "type": "bar",
        "x": [start + (index + 0.5) * width for index in range(len(bins))],
        "y": [entry["rows"] for entry in bins],
        "width": 0.92 * width,
        "marker": {
            "color": ["--chart-3" if limit and entry["low"] >= limit else "--chart-1" for entry in bins],
            "line": {"width": 0},
        },
        "customdata": [f"{entry['low']:,}–{entry['high'] - 1:,}" for entry in bins],
        "hovertemplate": f"%{{customdata}} {unit}: %{{y}} rows<extra></extra>",
    }
    layout: dict[str, Any] = {
        "hovermode": "closest",
        "xaxis": {"title": {"text": unit.capitalize() + _reach(bins[-1], width)}},
        "yaxis": {"title": {"text": "Rows"}, "rangemode": "tozero"},
    }
    place = _place(limit, bins)
    if limit and place <= FAR * (start + len(bins) * width):
        line = {"color": "--chart-3", "width": 2, "dash": "dash"}
        name = {"text": f"Limit {limit:,}", "showarrow": False, "xanchor": "right", "yanchor": "top"}
        layout["shapes"] = [{"type": "line", "x0": place, "x1": place, "yref": "paper", "y0": 0, "y1": 1, "line": line}]
        layout["annotations"] = [{"x": place, "yref": "paper", "y": 1, **name}]
    return {"data": [trace], "layout": layout}


def counts_figure(counts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Rows per slice or label as stacked bars of train and test. Beyond MAX_BARS, the smallest are added up."""
    shown = list(counts[:MAX_BARS])
    rest = counts[MAX_BARS:]
    if rest:
        others = {split: sum(count[split] for count in rest) for split in SPLITS}
        shown.append({"name": f"{len(rest)} others", **others})
    # Plotly draws lists from the bottom up.
    shown.reverse()
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": title,
            "y": [count["name"] for count in shown],
            "x": [count[split] for count in shown],
            "marker": {"color": colour},
            "hovertemplate": "%{x} rows",
        }
        for split, (title, colour) in SPLITS.items()
    ]
    layout = {
        "barmode": "stack",
        "bargap": 0.35,
        "legend": {"traceorder": "normal"},
        "hovermode": "y unified",
        "xaxis": {"title": {"text": "Rows"}},
        # A few bars must not grow to fill the figure.
        "yaxis": {
            "type": "category",
            "showgrid": False,
            "range": [len(shown) - max(len(shown), LEAST_BARS) - 0.5, len(shown) - 0.5],
        },
    }
    return {"data": data, "layout": layout}


def _reach(last: Mapping[str, int], width: int) -> str:
    """The range of a last bar that is drawn narrower than its range, for the axis title."""
    return f" (last bar up to {last['high'] - 1:,})" if last["high"] - last["low"] > width else ""


def _place(length: int, bins: Sequence[Mapping[str, int]]) -> float:
    """The position of a length on an axis whose last bar may be drawn narrower than its range."""
    width = bins[0]["high"] - bins[0]["low"]
    end = bins[0]["low"] + len(bins) * width
    last = bins[-1]
    if length <= last["low"]:
        return length
    return end - width / 2 if length < last["high"] else max(length, end)


def _length_charts(profile: Mapping[str, Any]) -> Iterator[Chart]:
    for name, title, unit in (
        ("prompt_characters", "Prompt length", "characters"),
        ("answer_characters", "Answer length", "characters"),
        ("tokens", "Tokens", "tokens"),
    ):
        lengths = profile.get(name)
        if not lengths:
            continue
        limit = profile.get("context_tokens", 0) if name == "tokens" else 0
        yield Chart(
            name=name.replace("_", "-"),
            title=title,
            label=f"{title}: rows by {unit}",
            figure=length_figure(lengths, unit=unit, limit=limit),
            columns=(unit.capitalize(), "Rows"),
            rows=[(f"{entry['low']:,}–{entry['high'] - 1:,}", entry["rows"]) for entry in lengths["bins"]],
            note=_token_note(profile) if name == "tokens" else "",
            lengths=lengths | {"unit": unit},
        )


def _titled(what: str, name: str) -> str:
    if what == "turns":
        return f"{name} turn{'' if name == '1' else 's'}"
    if what == "languages":
        return language_name(name)
    return name


def _token_note(profile: Mapping[str, Any]) -> str:
    sampled, limit = profile.get("sampled", 0), profile.get("context_tokens", 0)
    note = f"Prompt and answer combined, in a random sample of {sampled:,} rows."
    if limit:
        share = profile["tokens"]["maximum"] / limit
        note += f" {profile['context']} reads up to {limit:,} tokens; the longest sampled row uses {share:.0%} of them."
    return note


def _count_charts(profile: Mapping[str, Any]) -> Iterator[Chart]:
    sampled = f"In a random sample of {profile.get('sampled', 0):,} rows."
    for name, title, what, note in (
        ("turns", "Turns", "Turns", "A prompt and its answer count as two turns."),
        ("labels", "Labels", "Label", "As given in your file."),
        ("slices", "Slices", "Slice", "Evaluations report results for each slice."),
        ("languages", "Languages", "Language", sampled),
    ):
        counts = [{**count, "name": _titled(name, count["name"])} for count in profile.get(name) or ()]
        if counts and [count["name"] for count in counts] != [NO_SLICE]:
            yield Chart(
                name=name,
                title=title,
                label=f"{title}: training and test rows",
                figure=counts_figure(counts),
                columns=(what, *(title for title, _ in SPLITS.values())),
                rows=[(count["name"], count["train"], count["test"]) for count in counts[:MAX_TABLE_ROWS]],
                note=note,
            )
