"""The demo's report: the same figures on the screen and in the file, and a weak gain is a failure."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from portal.demo import report
from portal.demo.bases import BASES, TINY
from portal.demo.cast import TENANTS
from portal.demo.deciding import Decided
from portal.demo.line import tenant_report
from portal.demo.screen import Screen

ENGLISH = BASES["smollm2"]

PROMISED = {
    "rows",
    "train_seconds",
    "exact_match_base",
    "exact_match_adapter",
    "rouge_l_base",
    "rouge_l_adapter",
    "judge_score",
    "answer_base",
    "answer_adapter",
    "cost_usd",
    "verdict",
    "pack",
}


def figures(exact_match: float) -> dict[str, float]:
    return {"exact_match": exact_match, "rouge_l": exact_match, "meteor": exact_match}


def row(
    *,
    adapter: float = 0.95,
    answer: str = "CAP - $5",
    judge: str = "",
    required: float = TINY.required_gain,
    parts: tuple[str, ...] = ("all", "seen", "unseen"),
) -> dict[str, Any]:
    measured = {"figures": {"base": figures(0.05), "v1": figures(0.3), "v2": figures(adapter)}}
    grades = {"figures": {"base": 1.5, "v1": 2.5, "v2": 4.5}}
    return tenant_report(
        TENANTS[0],
        version={"row_count": 1210},
        training={"billable_seconds": 61.26},
        evaluating={"billable_seconds": 8.0},
        evaluation={
            "about": "v2",
            "models": [{"key": "base"}, {"key": "v1"}, {"key": "v2"}, {"key": "look_up"}],
            "summary": dict.fromkeys(parts, measured),
            "judgings": [{"summary": dict.fromkeys(parts, grades), "name": judge, "is_llm": bool(judge)}],
        },
        first={"number": 1},
        item={"messages": [{"role": "user", "content": "Summarize\nthis"}], "reference": "CAP - $5"},
        answers={"base": "", "adapter": answer},
        decided=Decided(grades=[5, 4], verdict="undecided. About 9 more.", pack="pack.zip, 40 KiB. Verified."),
        canary="v2 answered 6 of 12 callers.",
        cost=0.0019,
        required_gain=required,
    )


def table(rows: list[dict[str, Any]]) -> str:
    return report.table(rows, legend=TINY.legend)


def test_the_file_holds_what_is_promised(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    report.write(path, [row()], 83.21, {}, base_model="tiny-llama")
    document = json.loads(path.read_text())
    assert (document["ok"], document["total_seconds"]) == (True, 83.2)
    assert document["base_model"] == "tiny-llama"
    assert set(document["tenants"][0]) >= PROMISED
    assert document["tenants"][0]["expert_grade"] == 4.5


@pytest.mark.parametrize(
    ("weak", "errors"),
    [
        (row(adapter=0.05 + TINY.required_gain - 0.01), {}),
        (row(adapter=0.05 + ENGLISH.required_gain - 0.01, required=ENGLISH.required_gain), {}),
        (row(answer="CAP - $6"), {}),
        (row(), {"Harbour Support": "no answer"}),
    ],
    ids=["too small a gain", "too small a gain in English", "a wrong live answer", "a tenant that failed"],
)
def test_what_is_not_clearly_better_is_not_ok(weak: dict[str, Any], errors: dict[str, str], tmp_path: Path) -> None:
    report.write(tmp_path / "report.json", [weak], 1.0, errors, base_model="any")
    assert json.loads((tmp_path / "report.json").read_text())["ok"] is False


def test_the_table_shows_figures_and_live_answers() -> None:
    text = table([row()])
    assert "0.950" in text
    assert "base: (nothing)" in text
    assert "prompt: Summarize this" in text
    assert "canary: v2 answered 6 of 12 callers." in text
    assert "canary" not in table([{**row(), "canary": ""}])


def test_plain_output_says_each_stage_once() -> None:
    out = io.StringIO()
    screen = Screen(out)
    for fraction in (0.0, 0.01, 0.02, 0.15, 0.16):
        screen.tell("Alder Law", "training", fraction)
    assert out.getvalue().count("Alder Law: training") == 2


def test_the_legend_names_the_judge() -> None:
    assert "not a language model" in table([row()])
    assert "The judge is GPT, strict." in table([row(judge="GPT, strict")])


def test_rows_without_marks_are_measured_together() -> None:
    english = row(adapter=0.7, required=ENGLISH.required_gain, parts=("all",))
    assert english["exact_match_gain"] == 0.65
    assert english["gain_is_real"] is True
    assert "exact_match_unseen" not in english
    text = report.table([english], legend=ENGLISH.legend)
    assert "EM unseen" not in text
    assert "SmolLM2" in text
