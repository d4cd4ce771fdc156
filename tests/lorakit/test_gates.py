"""Conditions of a decision: what each comes to, at its bounds, and where it does not apply."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from lorakit.gates.case import Case, Control, Given, Item, Licence, Role, Round, Row, Scored
from lorakit.gates.conditions import KINDS
from lorakit.gates.fields import WrongPolicy
from lorakit.gates.outcome import Outcome, verdict
from lorakit.gates.policy import DEFAULT, parsed


def rows(own: Sequence[float], base: Sequence[float] | None = None, **extra: Any) -> list[Row]:
    made = []
    for number, score in enumerate(own, 1):
        answers: dict[Role, Scored] = {"own": Scored({"rouge_l": score}, **extra)}
        if base:
            answers["base"] = Scored({"rouge_l": base[number - 1]})
        made.append(Row(number=number, prompt=f"prompt {number}", answers=answers))
    return made


def case(own: list[float], base: list[float] | None = None, **extra: Any) -> Case:
    names: dict[Role, str] = {"own": "v2", "base": "Base"} if base else {"own": "v2"}
    return Case(names=names, rows=rows(own, base), **extra)


def graded(grades: Sequence[float | None], *, rows_of: Case | None = None, **extra: Any) -> Case:
    """Single answers, graded in order; None for one that is still open."""
    items = [
        Item(
            position=number,
            part="uniform",
            row=number,
            role="own",
            state="open" if grade is None else "decided",
            value=grade,
            given=() if grade is None else (Given("e1", grade),),
        )
        for number, grade in enumerate(grades, 1)
    ]
    found = Round(number=1, shape="single", items=items, **extra)
    return replace(rows_of or case([1.0] * max(len(grades), 400)), round=found)


def check(found: Case, **condition: Any) -> Outcome:
    return parsed({"conditions": [condition]}).check(found)[0]


BETTER = {"kind": "metric", "metric": "rouge_l", "against": "base"}


def test_a_metric_is_better_only_if_its_interval_says_so() -> None:
    assert check(case([1.0] * 30, [0.0] * 30), **BETTER).state == "passes"
    assert check(case([0.0] * 30, [1.0] * 30), **BETTER).state == "fails"
    unclear = check(case([1.0, 0.0] * 15, [0.0, 1.0] * 15), **BETTER)
    assert unclear.state == "undecided"
    assert "chance" in unclear.why


def test_few_prompts_show_nothing_but_harm() -> None:
    assert check(case([1.0] * 19, [0.0] * 19), **BETTER).state == "not applicable"
    assert check(case([1.0] * 20, [0.0] * 20), **BETTER).state == "passes"
    assert check(case([0.0] * 19, [1.0] * 19), **BETTER).state == "fails"


def test_not_worse_allows_its_margin() -> None:
    same = case([1.0] * 40, [1.0] * 40)
    assert check(same, **BETTER, needs="not_worse", margin=0.2).state == "passes"
    assert check(same, **BETTER, needs="not_worse", margin=0.01).state == "undecided"
    assert check(same, **BETTER, needs="not_shown_worse").state == "passes"
    assert check(case([0.0] * 40, [1.0] * 40), **BETTER, needs="not_shown_worse").state == "fails"


def test_without_the_other_model_a_metric_does_not_apply() -> None:
    assert check(case([1.0] * 30), **BETTER).state == "not applicable"
    assert check(case([1.0] * 30, [0.0] * 30), kind="metric", metric="rouge_l").state == "not applicable"
    assert check(case([1.0] * 30, [0.0] * 30), **{**BETTER, "metric": "bleu"}).state == "not applicable"


def test_leaked_rows_are_left_out_of_everything_unless_they_are_kept() -> None:
    leaked = [replace(row, leaked=row.number <= 16) for row in case([1.0] * 40, [0.0] * 40).rows]
    found = replace(case([1.0] * 40, [0.0] * 40), rows=leaked)
    assert check(found, **BETTER).detail["rows"] == 24
    assert check(found, kind="leakage").state == "passes"
    kept = replace(found, leaves_out_leaks=False)
    assert check(kept, kind="leakage").state == "fails"
    assert check(kept, kind="leakage").shown == "16 of 40"
    assert check(kept, kind="leakage", at_most=0.4).state == "passes"
    assert check(kept, kind="leakage", at_most=0.39).state == "fails"
    assert check(kept, **BETTER).detail["rows"] == 40
    assert check(replace(found, leaks_known=False), kind="leakage").state == "not applicable"


EXPERTS = {"kind": "experts", "verdict": "pass", "threshold": 0.7}


def test_thirteen_passes_decide_for_seventy_percent() -> None:
    assert check(graded([5.0] * 12), **EXPERTS).state == "undecided"
    found = check(graded([5.0] * 13), **EXPERTS)
    assert found.state == "passes"
    assert found.detail["evidence_for"] == pytest.approx(24.366039, abs=1e-6)


def test_the_first_crossing_decides() -> None:
    decided = check(graded([5.0] * 13), **EXPERTS)
    later = check(graded([5.0] * 13 + [1.0] * 40), **EXPERTS)
    assert later == replace(decided, detail=decided.detail)
    revoked = check(graded([5.0] * 12 + [1.0] * 41), **EXPERTS)
    assert revoked.state == "fails"


def test_only_the_run_of_decided_answers_counts() -> None:
    found = check(graded([5.0] * 5 + [None] + [5.0] * 20), **EXPERTS)
    assert found.detail["reviewed"] == 5
    assert found.detail["waiting"] == 21


def test_targeted_answers_and_skipped_ones_never_count() -> None:
    found = graded([5.0] * 13)
    assert found.round is not None
    items = [replace(item, part="targeted") for item in found.round.items]
    assert check(replace(found, round=replace(found.round, items=items)), **EXPERTS).detail["reviewed"] == 0
    items = [replace(item, state="skipped") if item.position == 3 else item for item in found.round.items]
    skipped = check(replace(found, round=replace(found.round, items=items)), **EXPERTS)
    assert (skipped.detail["reviewed"], skipped.detail["skipped"]) == (12, 1)


def test_looking_never_changes_the_order_or_the_verdict() -> None:
    random = Random(7)
    grades: list[float | None] = [5.0 if random.random() < 0.8 else 2.0 for _ in range(200)]
    looked = [check(graded(grades[:count]), **EXPERTS) for count in range(1, 201)]
    first = next(one for one in looked if one.state != "undecided")
    assert looked[-1] == first
    found = graded(grades)
    assert found.round is not None
    shuffled = list(found.round.items)
    random.shuffle(shuffled)
    assert check(replace(found, round=replace(found.round, items=shuffled)), **EXPERTS) == first


def test_what_is_not_shown_in_400_reviews_is_not_shown() -> None:
    grades: list[float | None] = [5.0 if number % 10 < 7 else 1.0 for number in range(400)]
    assert check(graded(grades[:-1]), **EXPERTS).state == "undecided"
    assert check(graded(grades), **EXPERTS).state == "fails"


def test_a_second_decision_needs_more_evidence() -> None:
    assert check(replace(graded([5.0] * 13), attempt=2), **EXPERTS).state == "undecided"
    assert check(replace(graded([5.0] * 20), attempt=2), **EXPERTS).state == "passes"


def test_the_outlook_is_the_same_for_the_same_evidence() -> None:
    found = graded([5.0, 2.0, 5.0, 4.0, 5.0], seconds=60.0)
    first, second = check(found, **EXPERTS), check(found, **EXPERTS)
    assert first == second
    assert first.outlook is not None
    assert first.outlook.median is not None
    assert first.outlook.hours == pytest.approx(first.outlook.median / 60)


def test_stopping_is_offered_from_thirty_reviews_on() -> None:
    poor: list[float | None] = [5.0, 5.0, 1.0, 5.0, 1.0] * 6
    found = check(graded(poor), kind="experts", verdict="pass", threshold=0.9)
    few = check(graded([5.0, 1.0] * 5), kind="experts", verdict="pass", threshold=0.5)
    assert found.state == "fails" or (found.outlook is not None and found.outlook.hopeless)
    assert few.outlook is not None
    assert not few.outlook.hopeless


def test_pairs_and_differences() -> None:
    found = graded([1.0] * 20)
    assert found.round is not None
    pairs = replace(found, round=replace(found.round, shape="pair", against="base"))
    assert check(pairs, kind="experts", verdict="pair").state == "passes"
    assert check(pairs, **EXPERTS).state == "undecided"
    both = [
        Item(position=2 * item.row + (role == "base"), part="uniform", row=item.row, role=role, state="decided",
             value=5.0 if role == "own" else 1.0)
        for item in found.round.items
        for role in ("own", "base")
    ]  # fmt: skip
    difference = replace(found, round=replace(found.round, items=both, against="base"))
    assert check(difference, kind="experts", verdict="difference").state == "passes"
    assert check(difference, kind="severe_losses", at_most=0.2).state == "passes"


def judged_case(grades: Sequence[float | None], judge: list[float]) -> Case:
    judged = [
        Row(number=number, prompt=str(number), answers={"own": Scored({}, judge=score)})
        for number, score in enumerate(judge, 1)
    ]
    return replace(graded(grades), rows=judged, is_judged=True)


def test_a_judge_that_controls_saves_reviews() -> None:
    random = Random(3)
    truth = [5.0 if random.random() < 0.8 else 2.0 for _ in range(300)]
    judge = [grade if random.random() < 0.95 else 7.0 - grade for grade in truth]
    plain = judged_case(list(truth), judge)
    helped = replace(plain, control=Control(weight=0.5, scores=(2.0, 5.0), grades=(2.0, 5.0)))
    without, with_judge = check(plain, **EXPERTS), check(helped, **EXPERTS)
    assert without.state == with_judge.state == "passes"
    assert with_judge.detail["reviewed"] < without.detail["reviewed"]
    assert with_judge.low is not None
    assert with_judge.low >= 0.7 - 1e-6
    assert with_judge.detail["labels_saved"] > 0


def test_gate_and_interval_never_disagree() -> None:
    random = Random(11)
    for _ in range(20):
        truth = [float(random.randint(1, 5)) for _ in range(60)]
        found = judged_case(list(truth), [min(5.0, max(1.0, grade + random.choice((-1, 0, 1)))) for grade in truth])
        helped = replace(found, control=Control(weight=0.5, scores=(1.0, 5.0), grades=(1.0, 5.0)))
        for one in (found, helped):
            outcome = check(one, kind="experts", verdict="grade", threshold=2.5)
            assert outcome.low is not None
            assert outcome.high is not None
            assert (outcome.state == "passes") == (outcome.low >= 2.5 - 1e-6)
            assert (outcome.state == "fails") == (outcome.high <= 2.5 + 1e-6)


def test_a_judge_alone_never_passes() -> None:
    condition = {"kind": "judge", "at_least": 4}
    assert check(case([1.0] * 30), **condition).state == "not applicable"
    assert check(judged_case([], [5.0] * 100), **condition).state == "undecided"
    assert check(judged_case([5.0] * 19, [5.0] * 100), **condition).state == "undecided"
    assert check(judged_case([5.0] * 20, [5.0] * 100), **condition).state == "passes"
    assert check(judged_case([2.0] * 20, [5.0] * 100), **condition).state == "fails"


def test_severe_losses() -> None:
    assert check(graded([5.0] * 40), kind="severe_losses", at_most=0.1).state == "passes"
    assert check(graded([1.0] * 10 + [5.0] * 10), kind="severe_losses", at_most=0.1).state == "fails"
    assert check(graded([5.0] * 5), kind="severe_losses", at_most=0.1).state == "undecided"
    assert check(graded([]), kind="severe_losses").state == "undecided"


def test_agreement_names_its_coefficient() -> None:
    assert check(graded([5.0] * 20), kind="agreement").state == "not applicable"
    found = graded([float(number % 5 + 1) for number in range(40)], reviewers_per_item=2)
    assert found.round is not None
    items = [
        replace(one, given=(Given("e1", one.value or 1), Given("e2", one.value or 1))) for one in found.round.items
    ]
    twice = replace(found, round=replace(found.round, items=items))
    for coefficient in ("Krippendorff's alpha, ordinal", "Gwet's AC1", "Gwet's AC2, quadratic"):
        outcome = check(twice, kind="agreement", coefficient=coefficient, at_least=0.6)
        assert outcome.state == "passes"
        assert coefficient in outcome.title
    few = replace(twice, round=replace(found.round, items=items[:9], reviewers_per_item=2))
    assert check(few, kind="agreement").state == "undecided"


def test_a_licence_stands_for_the_judge() -> None:
    judged = replace(case([1.0]), is_judged=True)
    assert check(case([1.0]), kind="licence").state == "not applicable"
    assert check(judged, kind="licence").state == "undecided"
    for state, expected in (("licensed", "passes"), ("provisional", "undecided"), ("suspended", "fails"),
                            ("refused", "fails")):  # fmt: skip
        licensed = replace(judged, licence=Licence(judge="Strict", state=state, reason="So it is."))
        assert check(licensed, kind="licence").state == expected


def test_limits_of_time_and_cost() -> None:
    slow = Case(names={"own": "v2"}, rows=rows([1.0] * 20, seconds=1.2, usd=0.0001))
    assert check(slow, kind="latency", p95_seconds=1.2).state == "passes"
    assert check(slow, kind="latency", p95_seconds=1.1).state == "fails"
    assert check(slow, kind="cost", usd_per_1000=0.11).state == "passes"
    assert check(slow, kind="cost", usd_per_1000=0.09).state == "fails"
    assert check(case([1.0]), kind="latency", p95_seconds=1).state == "not applicable"
    assert check(case([1.0]), kind="cost", usd_per_1000=1).state == "not applicable"


def test_approvals() -> None:
    assert check(case([1.0]), kind="approvals", people=2).state == "undecided"
    assert check(case([1.0], approved_by=["Rita"]), kind="approvals", people=2).state == "undecided"
    assert check(case([1.0], approved_by=["Rita", "Sam"]), kind="approvals", people=2).state == "passes"


def test_the_default_asks_only_for_what_there_is() -> None:
    assert verdict(DEFAULT.check(case([1.0] * 30, [0.0] * 30))) == "passes"
    assert verdict(DEFAULT.check(case([1.0] * 3, [0.0] * 3))) == "passes"
    assert verdict(DEFAULT.check(case([0.0] * 30, [1.0] * 30))) == "fails"


def test_a_verdict_needs_something_that_passes() -> None:
    assert verdict(parsed({"conditions": [{"kind": "licence"}]}).check(case([1.0]))) == "undecided"


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ([], "must have fields"),
        ({}, "“conditions” is missing"),
        ({"conditions": []}, "list of 1 to 20"),
        ({"conditions": [{"kind": "luck"}]}, "“kind” is one of"),
        ({"conditions": [{"kind": "metric"}]}, "“metric” is missing"),
        ({"conditions": [{"kind": "experts", "threshold": 1}]}, "inside the scale"),
        ({"conditions": [{"kind": "experts", "threshold": True}]}, "is a number"),
        ({"conditions": [{"kind": "approvals", "people": 1.5}]}, "whole number"),
        ({"conditions": [{"kind": "licence", "extra": 1}]}, "not a known field"),
        ({"conditions": [{"kind": "licence"}, {"kind": "licence"}]}, "the same"),
        ({"conditions": [{"kind": "licence"}], "may_override": 1}, "true or false"),
    ],
)
def test_a_policy_is_read_strictly(document: Any, text: str) -> None:
    with pytest.raises(WrongPolicy, match=text):
        parsed(document)


def test_a_policy_is_the_same_when_read_back() -> None:
    document = {"conditions": [{"kind": kind, **NEEDED.get(kind, {})} for kind in KINDS], "may_override": False}
    policy = parsed(document)
    assert parsed(policy.to_dict()) == policy
    assert parsed(policy.to_dict()).sha256 == policy.sha256


NEEDED: dict[str, dict[str, Any]] = {
    "metric": {"metric": "rouge_l"},
    "judge": {"at_least": 4},
    "latency": {"p95_seconds": 1},
    "cost": {"usd_per_1000": 1},
}
