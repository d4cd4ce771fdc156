"""The figures of a profile are what Plotly can draw, and hold every row."""

from pathlib import Path
from typing import Any

import msgspec

from corpora.charts import counts_figure, length_figure
from tests.corpora.checking import check
from tests.corpora.conftest import pairs


def test_lengths_are_bars_that_hold_every_row(tmp_path: Path) -> None:
    profile = msgspec.to_builtins(check(pairs(120), tmp_path / "a").report)["profile"]
    trace = length_figure(profile["prompt_characters"])["data"][0]
    assert sum(trace["y"]) == 120
    assert len(trace["x"]) == len(trace["y"]) == len(trace["customdata"])


def test_many_labels_are_added_up_at_the_bottom() -> None:
    counts: list[dict[str, Any]] = [{"name": f"label {i}", "train": 20 - i, "test": 1} for i in range(20)]
    train, test = counts_figure(counts)["data"]
    assert train["y"][0] == "8 others"
    assert train["y"][-1] == "label 0"
    assert sum(train["x"]) + sum(test["x"]) == sum(count["train"] + count["test"] for count in counts)
