"""From answers to an evaluation's figures, the sentence about them, and the charts."""

import pytest

from evaluations.judges.backends import judges
from evaluations.judges.backends.base import Judgement
from evaluations.runs.charts import distribution_figure, histogram, metrics_figure
from evaluations.runs.held_out import HeldOutRow
from evaluations.runs.report import reports
from evaluations.runs.scoring import SHOWN, ScoredRow, score_rows, summarise, uncertainty


def scored(reference: str, base: str, adapter: str, slice_name: str = "all") -> ScoredRow:
    row = HeldOutRow(id=reference, messages=[], reference=reference, slice=slice_name)
    answers = {"base": base, "adapter": adapter}
    return score_rows([row], {row.id: answers}, judge=judges["default"])[0]


def test_means_by_slice_and_in_total() -> None:
    summary = summarise(
        [
            scored("P1 refund", "none", "P1 refund", "seen"),
            scored("P2 invoice", "P2 invoice", "P2 invoice", "seen"),
            scored("P3 praise", "none", "P3 defect", "unseen"),
        ],
        chosen=SHOWN,
    )
    assert set(summary) == {"all", "seen", "unseen"}
    assert summary["all"]["rows"] == 3
    assert summary["all"]["base"]["exact_match"] == pytest.approx(1 / 3)
    assert summary["all"]["adapter"]["exact_match"] == pytest.approx(2 / 3)
    assert summary["seen"]["difference"]["exact_match"]["mean"] == 0.5
    assert summary["unseen"]["adapter"] == {
        "exact_match": 0.0,
        "rouge_l": 0.5,
        "meteor": pytest.approx(0.25),
        "judge": 2.0,
    }


def test_every_metric_that_applies_is_scored_and_the_others_say_why() -> None:
    rows = [
        scored('{"order": 1}', "none", '{"order": 1}'),
        scored('{"order": 2}', '{"order": 3}', '{"order": 2}'),
        scored('{"order": 2}', "none", '{"order": 2, "paid": true}'),
    ]
    assert rows[2].scores["adapter"]["json_field_accuracy"] == 0.5
    assert {"f1", "rouge_1", "bleu", "chrf"} <= rows[0].scores["base"].keys()
    total = summarise(rows)["all"]
    assert total["base"]["json_validity"] == pytest.approx(1 / 3)
    assert total["adapter"]["json_field_accuracy"] == pytest.approx(2.5 / 3)
    assert total["unavailable"]["bertscore"] == "No encoder is configured on this site."
    assert "bertscore" not in total["adapter"]


def test_figures_of_a_set_are_in_the_summary() -> None:
    rows = score_rows(
        [HeldOutRow(id=str(n), messages=[], reference=["refund", "praise"][n % 2], slice="all") for n in range(8)],
        {str(n): {"base": "refund", "adapter": ["refund", "praise"][n % 2]} for n in range(8)},
        judge=judges["default"],
    )
    total = summarise(rows)["all"]
    assert (total["base"]["balanced_accuracy"], total["adapter"]["balanced_accuracy"]) == (0.5, 1.0)
    assert rows[1].scores["base"]["classification_accuracy"] == 0
    assert "balanced_accuracy" not in rows[1].scores["base"]


def test_pages_show_the_metrics_they_have_room_for() -> None:
    figures = reports(summarise([scored("a b", "", "a b")]), judge="default")[0].figures
    assert [figure.alias for figure in figures] == [*SHOWN, "judge"]


def test_rows_without_slices_are_summed_up_once() -> None:
    assert set(summarise([scored("a b", "", "a b")])) == {"all"}


def test_a_metric_that_is_silent_on_every_row_has_no_mean() -> None:
    summary = summarise([scored("合同", "", "合同")])
    assert summary["all"]["adapter"]["rouge_l"] is None
    figures = reports(summary, judge="default")[0].by_alias
    assert (figures["rouge_l"].adapter, figures["rouge_l"].delta) == ("n/a", "")
    assert sum(distribution_figure([{"base": {"rouge_l": None}, "adapter": {"rouge_l": None}}])["data"][0]["y"]) == 0


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
    summary = summarise([scored(f"row {n}", "", f"row {n}") for n in range(20)])
    report = reports(summary, judge="default")[0]
    assert "100.0% of 20 held-out rows, the base on 0.0%" in report.sentence
    assert "unlikely to be chance" in report.sentence
    assert "points more" in report.sentence
    assert (report.by_alias["exact_match"].delta, report.by_alias["exact_match"].trend) == ("+100.0 points", 1)


def test_fewer_than_twenty_prompts_do_not_call_an_adapter_better() -> None:
    few = summarise([scored(f"row {n}", "", f"row {n}") for n in range(19)])
    assert "At least 20 different held-out prompts are needed" in reports(few, judge="default")[0].sentence


def test_rows_that_repeat_a_prompt_count_as_one() -> None:
    rows = [scored(f"row {n}", "", f"row {n}") for n in range(60)]
    for place, row in enumerate(rows):
        row.row.messages.append({"role": "user", "content": f"Which row is {place % 12}?"})
    summary = summarise(rows)
    assert summary["all"]["difference"]["exact_match"]["units"] == 12
    assert "At least 20 different held-out prompts are needed" in reports(summary, judge="default")[0].sentence


def test_rows_of_a_single_prompt_may_be_chance() -> None:
    rows = [scored(f"row {n}", "", f"row {n}") for n in range(60)]
    for row in rows:
        row.row.messages.append({"role": "user", "content": "Which row?"})
    assert "may be chance" in reports(summarise(rows), judge="default")[0].sentence


def test_a_worse_adapter_is_called_worse() -> None:
    summary = summarise([scored(f"row {n}", f"row {n}", "") for n in range(20)])
    report = reports(summary, judge="default")[0]
    assert "points fewer" in report.sentence
    assert report.by_alias["judge"].trend == -1


def test_a_difference_that_may_be_chance_is_called_that() -> None:
    summary = summarise([scored("row 1", "", "row 1"), scored("row 2", "row 2", "row 2")])
    assert "may be chance" in reports(summary, judge="default")[0].sentence


def test_charts_hold_the_figures() -> None:
    rows = [scored("row 1", "row 2", "row 1"), scored("row 3", "", "row 3")]
    distribution = distribution_figure([row.scores for row in rows])
    assert [sum(trace["y"]) for trace in distribution["data"]] == [2, 2]
    assert distribution["data"][1]["y"][-1] == 2
    means = metrics_figure(summarise(rows))
    assert means["data"][1]["x"] == ["Exact match", "ROUGE-L", "METEOR (no synonyms)"]
    assert means["data"][0]["y"][0] == 0.0


def test_a_histogram_keeps_every_value() -> None:
    counts = histogram([0.0, 0.04, 0.05, 1.0, None])
    assert (counts[0], counts[1], counts[-1], sum(counts)) == (2, 1, 1, 4)
