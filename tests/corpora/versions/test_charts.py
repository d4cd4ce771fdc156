"""The figures of a profile are valid for Plotly and contain every row."""

from typing import Any

import pytest

from corpora.versions.charts import counts_figure, length_figure, profile_charts

BINS = [{"low": low, "high": low + 10, "rows": 5} for low in range(0, 100, 10)]
CODES = {"turns": "3", "languages": "zh", "slices": "all"}
TAIL = {"low": 100, "high": 400, "rows": 2}


def lengths(*bins: dict[str, int]) -> dict[str, Any]:
    return {"mean": 1.0, "minimum": 0, "p50": 40, "p90": 90, "p99": 99, "maximum": bins[-1]["high"] - 1, "bins": bins}


def test_lengths_are_bars_that_hold_every_row() -> None:
    trace = length_figure(lengths(*BINS, TAIL))["data"][0]
    assert sum(trace["y"]) == 52
    assert trace["x"] == [5 + 10 * index for index in range(11)]
    assert trace["customdata"][-1] == "100–399"
    assert len(trace["x"]) == len(trace["y"]) == len(trace["customdata"]) == len(trace["marker"]["color"])


def test_the_last_bar_says_how_far_the_tail_reaches() -> None:
    long, short = (length_figure(lengths(*bins))["layout"]["xaxis"]["title"]["text"] for bins in ((*BINS, TAIL), BINS))
    assert long.startswith("Characters")
    assert "399" in long
    assert short == "Characters"


@pytest.mark.parametrize(
    ("limit", "place"), [(45, 45), (100, 100), (250, 105), (399, 105), (400, None), (90_000, None)]
)
def test_a_limit_is_drawn_where_it_lies_among_the_bars(limit: int, place: float | None) -> None:
    layout = length_figure(lengths(*BINS, TAIL), unit="tokens", limit=limit)["layout"]
    assert [shape["x0"] for shape in layout.get("shapes", [])] == ([] if place is None else [place])


def test_bars_beyond_the_limit_are_marked() -> None:
    colours = length_figure(lengths(*BINS), limit=80)["data"][0]["marker"]["color"]
    assert colours == ["--chart-1"] * 8 + ["--chart-3"] * 2


def test_many_labels_are_added_up_at_the_bottom() -> None:
    counts: list[dict[str, Any]] = [{"name": f"label {i}", "train": 20 - i, "test": 1} for i in range(20)]
    train, test = counts_figure(counts)["data"]
    assert train["y"][0] == "8 others"
    assert train["y"][-1] == "label 0"
    assert sum(train["x"]) + sum(test["x"]) == sum(count["train"] + count["test"] for count in counts)


def test_a_single_bar_does_not_fill_the_figure() -> None:
    axis = counts_figure([{"name": "en", "train": 9, "test": 1}])["layout"]["yaxis"]
    assert axis["range"] == [-3.5, 0.5]


def test_languages_and_turns_are_named_and_rows_without_slices_have_no_chart_of_them() -> None:
    counts = {name: [{"name": value, "train": 9, "test": 1}] for name, value in CODES.items()}
    shown = {chart.name: chart.rows[0][0] for chart in profile_charts({"sampled": 10, **counts})}
    assert shown == {"turns": "3 turns", "languages": "Chinese"}


def test_only_what_was_counted_is_shown() -> None:
    assert profile_charts({"warnings": []}) == []
    profile: dict[str, Any] = {
        "prompt_characters": lengths(*BINS),
        "answer_characters": lengths(*BINS),
        "labels": [],
        "tokens": None,
    }
    slices = [{"name": f"s{number}", "train": 1, "test": 0} for number in range(150)]
    charts = profile_charts({**profile, "slices": slices})
    assert [chart.name for chart in charts] == ["prompt-characters", "answer-characters", "slices"]
    assert len(charts[2].rows) == 100
