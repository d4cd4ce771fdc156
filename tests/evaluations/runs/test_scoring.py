"""From answers to an evaluation's figures, the sentence about them, and the charts."""

from collections.abc import Collection, Sequence
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest

from adapters.models import AdapterVersion
from evaluations.judges.backends.base import Judgement
from evaluations.metrics.base import Answers
from evaluations.models import Answer, EvaluationRun
from evaluations.runs.grid.charts import colours_of, distribution_figure, metrics_figure
from evaluations.runs.report import SliceReport, difference_of, reports
from evaluations.runs.stages.facts import facts_of
from evaluations.runs.stages.grading import summarise_grades, uncertainty
from evaluations.runs.stages.scoring import SHOWN, Rows, score, summarise
from evaluations.runs.stages.shapes import shapes_of

Row = tuple[str, str, str, str, str]
"""(expected, answer of the base, of v1, slice, prompt)"""


def row(reference: str, base: str, adapter: str, slice_name: str = "all", prompt: str = "") -> Row:
    return reference, base, adapter, slice_name, prompt or reference


def summary_of(rows: Sequence[Row], chosen: Collection[str] | None = None) -> dict[str, Any]:
    references, base, own, slices, prompts = (list(column) for column in zip(*rows, strict=True))
    common = Rows(references=references, slices=slices, prompts=prompts)
    answers = {"base": base, "v1": own}
    scored = {key: score(common, Answers(references, texts), chosen=chosen) for key, texts in answers.items()}
    return summarise(common, scored, about="v1")


def reports_of(rows: Sequence[Row]) -> list[SliceReport]:
    tenant_id = uuid4()
    version = AdapterVersion(tenant_id=tenant_id, number=1)
    run = EvaluationRun(tenant_id=tenant_id, version=version, summary=summary_of(rows))
    with patch.object(EvaluationRun, "last_judging", None), patch("evaluations.runs.report.names_of", lambda run: {}):
        return reports(run)


def test_means_by_slice_and_in_total() -> None:
    summary = summary_of(
        [
            row("P1 refund", "none", "P1 refund", "seen"),
            row("P2 invoice", "P2 invoice", "P2 invoice", "seen"),
            row("P3 praise", "none", "P3 defect", "unseen"),
        ],
        chosen=SHOWN,
    )
    assert set(summary) == {"all", "seen", "unseen"}
    assert summary["all"]["rows"] == 3
    assert summary["all"]["figures"]["base"]["exact_match"] == pytest.approx(1 / 3)
    assert summary["all"]["figures"]["v1"]["exact_match"] == pytest.approx(2 / 3)
    assert difference_of(summary["seen"], "exact_match", "v1", "base")["mean"] == 0.5  # type: ignore[index]
    assert summary["unseen"]["figures"]["v1"] == {"exact_match": 0.0, "rouge_l": 0.5, "meteor": pytest.approx(0.25)}


def test_every_metric_that_applies_is_scored_and_the_others_say_why() -> None:
    rows = [
        row('{"order": 1}', "none", '{"order": 1}'),
        row('{"order": 2}', '{"order": 3}', '{"order": 2}'),
        row('{"order": 2}', "none", '{"order": 2, "paid": true}'),
    ]
    total = summary_of(rows)["all"]
    base, own = total["figures"]["base"], total["figures"]["v1"]
    assert {"f1", "rouge_1", "bleu", "chrf"} <= base.keys()
    assert base["json_validity"] == pytest.approx(1 / 3)
    assert own["json_field_accuracy"] == pytest.approx(2.5 / 3)
    assert total["unavailable"]["bertscore"] == "No encoder is configured on this site."
    assert "bertscore" not in own


def test_figures_of_a_slice_are_those_of_its_rows_alone() -> None:
    rows = [row(f"clause {n} is void", f"clause {n % 3} is", f"clause {n} is void", "ab"[n % 2]) for n in range(12)]
    summary = summary_of(rows)
    alone = summary_of([(*one[:3], "all", one[4]) for one in rows if one[3] == "a"])
    for key in ("base", "v1"):
        assert summary["a"]["figures"][key] == pytest.approx(alone["all"]["figures"][key])


def test_figures_of_a_set_are_in_the_summary() -> None:
    labels = [["refund", "praise"][n % 2] for n in range(8)]
    figures = summary_of([row(label, "refund", label, prompt=str(n)) for n, label in enumerate(labels)])["all"][
        "figures"
    ]
    assert (figures["base"]["balanced_accuracy"], figures["v1"]["balanced_accuracy"]) == (0.5, 1.0)


def test_several_models_are_compared_at_once() -> None:
    references = [f"row {n}" for n in range(40)]
    common = Rows(references=references, slices=["all"] * 40, prompts=references)
    answers = {"base": [""] * 40, "v1": references[:20] + [""] * 20, "v2": references}
    scored = {key: score(common, Answers(references, texts)) for key, texts in answers.items()}
    entries = summarise(common, scored, about="v2")["all"]["differences"]
    exact = {(one["model"], one["against"]): one for one in entries if one["metric"] == "exact_match"}
    assert set(exact) == {("v2", "base"), ("v2", "v1"), ("v1", "base")}
    assert [exact["v2", key]["comparisons"] for key in ("base", "v1")] == [2, 2]
    assert exact["v2", "v1"]["mean"] == 0.5
    assert {(one["model"], one["against"]) for one in entries if one["metric"] == "rouge_l"} == {
        ("v2", "base"),
        ("v2", "v1"),
    }


def test_pages_show_the_metrics_they_have_room_for() -> None:
    figures = reports_of([row("a b", "", "a b")])[0].figures
    assert [figure.alias for figure in figures] == [*SHOWN, "judge"]


def test_rows_without_slices_are_summed_up_once() -> None:
    assert set(summary_of([row("a b", "", "a b")])) == {"all"}


def test_a_metric_that_is_silent_on_every_row_has_no_mean() -> None:
    rows = [row("合同", "", "合同")]
    assert summary_of(rows)["all"]["figures"]["v1"]["rouge_l"] is None
    figure = reports_of(rows)[0].by_alias["rouge_l"]
    assert (figure.own, figure.delta) == ("n/a", "")


@pytest.mark.parametrize(
    ("score", "known", "expected"),
    [
        (5.0, {"exact_match": 1.0}, 0.0),
        (1.0, {"exact_match": 0.0}, 1.0),
        (5.0, {"exact_match": 0.0}, 1.0),
        (4.0, {}, 0.25),
    ],
)
def test_doubt_is_a_low_grade_or_one_at_odds_with_the_metrics(
    score: float, known: dict[str, float | None], expected: float
) -> None:
    assert uncertainty(Judgement(score=score, reason="-"), known) == expected


def test_a_real_difference_is_called_real() -> None:
    report = reports_of([row(f"row {n}", "", f"row {n}") for n in range(20)])[0]
    assert "100.0% of 20 held-out rows, the base on 0.0%" in report.sentence
    assert "unlikely to be chance" in report.sentence
    assert "points more" in report.sentence
    assert report.verdict == "better"
    assert (report.by_alias["exact_match"].delta, report.by_alias["exact_match"].trend) == ("+100.0 points", 1)


def test_fewer_than_twenty_prompts_do_not_call_an_adapter_better() -> None:
    few = reports_of([row(f"row {n}", "", f"row {n}") for n in range(19)])
    assert "At least 20 different held-out prompts are needed" in few[0].sentence


def test_rows_that_repeat_a_prompt_count_as_one() -> None:
    rows = [row(f"row {n}", "", f"row {n}", prompt=f"Which row is {n % 12}?") for n in range(60)]
    assert summary_of(rows)["all"]["differences"][0]["units"] == 12
    assert "At least 20 different held-out prompts are needed" in reports_of(rows)[0].sentence


def test_rows_of_a_single_prompt_may_be_chance() -> None:
    rows = [row(f"row {n}", "", f"row {n}", prompt="Which row?") for n in range(60)]
    assert "may be chance" in reports_of(rows)[0].sentence


def test_a_worse_adapter_is_called_worse() -> None:
    report = reports_of([row(f"row {n}", f"row {n}", "") for n in range(20)])[0]
    assert "points fewer" in report.sentence
    assert report.verdict == "worse"


def test_a_difference_that_may_be_chance_is_called_that() -> None:
    rows = [row("row 1", "", "row 1"), row("row 2", "row 2", "row 2")]
    assert "may be chance" in reports_of(rows)[0].sentence


def test_grades_are_compared_too() -> None:
    references = [f"row {n}" for n in range(30)]
    rows = Rows(references=references, slices=["all"] * 30, prompts=references)
    grades: dict[str, list[float | None]] = {"base": [2.0] * 30, "v1": [4.0] * 29 + [None]}
    total = summarise_grades(rows, grades, about="v1")["all"]
    assert total["figures"] == {"base": 2.0, "v1": 4.0}
    assert (total["differences"][0]["rows"], total["differences"][0]["verdict"]) == (29, "better")


def test_charts_hold_the_figures() -> None:
    distribution = distribution_figure(
        {"Base": [1, 1, 0, 0], "v1": [1, 0, 0, 1]}, "rouge_l", colours=colours_of(["Base", "v1"])
    )
    assert [trace["y"] for trace in distribution["data"]] == [[1, 1, 0, 0], [1, 0, 0, 1]]
    assert distribution["data"][1]["x"] == [0.125, 0.375, 0.625, 0.875]
    summary = summary_of([row("row 1", "row 2", "row 1"), row("row 3", "", "row 3")])
    means = metrics_figure(summary, {"base": "Base", "v1": "v1"})
    assert means["data"][1]["x"] == ["Exact match", "ROUGE-L", "METEOR<br>(no synonyms)"]
    assert means["data"][0]["y"][0] == 0.0


def test_facts_of_a_model_say_how_sure_its_score_is() -> None:
    tenant_id = uuid4()
    answers = [
        Answer(tenant_id=tenant_id, text="", is_right=n < 18, completion_tokens=4, seconds=0.5 if n else None)
        for n in range(20)
    ]
    alone = facts_of(answers, [str(n) for n in range(20)])
    assert (alone["answered"], alone["right"], alone["wrong"], alone["tokens"], alone["seconds"]) == (20, 18, 2, 4, 0.5)
    assert (alone["low"], alone["high"]) == pytest.approx((0.683017, 0.987651), abs=1e-6)
    repeated = facts_of(answers, [str(n % 5) for n in range(20)])
    assert repeated["low"] < alone["low"]
    one_prompt = facts_of(answers, ["same"] * 20)
    assert (one_prompt["low"], one_prompt["high"]) == (None, None)
    assert facts_of([], [])["low"] is None


def test_rows_that_changed_are_counted() -> None:
    rows = [row(f"row {n}", f"row {n}" if n < 3 else "", f"row {n}" if n > 0 else "") for n in range(20)]
    (exact,) = summary_of(rows, chosen=["exact_match"])["all"]["differences"]
    assert (exact["better"], exact["worse"]) == (17, 1)


def test_shapes_count_every_scored_answer_in_its_part() -> None:
    references = ["fault", "return"] * 10
    texts = ["fault"] * 20
    answers = Answers(references, texts, [-0.1, -3.0] * 10)
    rows = [{"exact_match": float(a == b), "rouge_l": None} for a, b in zip(references, texts, strict=True)]
    found = shapes_of(answers, rows)
    assert found["histograms"] == {"exact_match": [10, *[0] * 18, 10], "rouge_l": [0] * 20}
    assert [(count, right) for count, _, right in found["reliability"]] == [(10, 0.0), (10, 1.0)]
    assert found["confusion"]["matrix"] == [[10, 0, 0], [10, 0, 0]]
    assert shapes_of(Answers(["a", ""], ["b", "c"]), [{}, {}]) == {
        "histograms": {},
        "reliability": [],
        "confusion": {},
    }
