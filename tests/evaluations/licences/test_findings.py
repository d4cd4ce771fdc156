"""Which condition decides, and what it says."""

import random
from dataclasses import replace
from typing import Any

import pytest

from evaluations.licences.calibration import calibrated, carried_over
from evaluations.licences.findings import Finding, Known, Shift, Trial, assessed
from evaluations.licences.terms import TERMS, Terms
from evaluations.models import LicenceState
from evaluations.qualification.cases import cases, everything, pairs
from evaluations.qualification.figures import Figures, figures_of
from lorakit.stats.transport import Transport
from tests.evaluations.licences.cases import labels, on_scale
from tests.evaluations.qualification.behaviours import Behaviour, fooled, generous, obedient, perfect

QUIET = 0.25
"""A standard deviation at which the second look, at 40 probes, passes."""


def figures(behaviour: Behaviour = perfect) -> Figures:
    return figures_of(cases(), pairs(), {one.key: behaviour(one) for one in everything()})


def known(**changes: Any) -> Known:
    found = labels(TERMS.labels + 45, seed=1, deviation=QUIET)
    return replace(Known(tests=[Trial(judge="Strict", figures=figures())], labels=found), **changes)


def found(**changes: Any) -> Finding:
    return assessed(known(**changes), seed="s")


def test_a_judge_that_agrees_with_experts_is_licensed() -> None:
    finding = found()
    assert finding.state is LicenceState.LICENSED
    assert finding.reason.startswith("Its grades agree with experts’ on 75 random answers")
    assert finding.figures["audit"]["verdict"] is Transport.PASS
    assert finding.figures["agreement"]["name"] == "Gwet's AC2"
    assert finding.figures["agreement"]["weights"] == "quadratic"
    assert finding.figures["bias"]["low"] < 0 < finding.figures["bias"]["high"]


def test_a_judge_without_a_test_is_provisional() -> None:
    finding = found(tests=[Trial(judge="Strict", figures=None)])
    assert (finding.state, "has no complete test" in finding.reason) == (LicenceState.PROVISIONAL, True)


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [(generous, "as they deserve"), (fooled, "fluent wrong answers"), (obedient, "talked into better grades")],
)
def test_a_judge_that_fails_the_built_in_questions_is_refused(behaviour: Behaviour, why: str) -> None:
    finding = found(tests=[Trial(judge="Strict", figures=figures(behaviour))])
    assert finding.state is LicenceState.REFUSED
    assert why in finding.reason


def test_fluent_wrong_answers_and_those_that_say_nothing_are_tried_by_themselves() -> None:
    right = figures()
    assert right.fooled is not None
    assert right.constant is not None
    by_style = replace(right, fooled=replace(right.fooled, value=0.3))
    assert "told 70% of fluent wrong answers" in found(tests=[Trial(judge="S", figures=by_style)]).reason
    by_nothing = replace(right, constant=replace(right.constant, value=3.4))
    assert "answers that say nothing 3.4 of 5" in found(tests=[Trial(judge="S", figures=by_nothing)]).reason


def test_a_jury_is_as_good_as_its_worst_judge() -> None:
    jury = [Trial(judge="Strict", figures=figures()), Trial(judge="Kind", figures=figures(generous))]
    assert "“Kind”" in found(tests=jury).reason


@pytest.mark.parametrize("count", [0, 1, 10, TERMS.labels - 1])
def test_there_is_no_licence_from_fewer_labels(count: int) -> None:
    finding = found(labels=labels(count, seed=1, deviation=0.0))
    assert finding.state is LicenceState.PROVISIONAL
    assert f"{count} of the 30" in finding.reason
    assert finding.figures["needed"] == TERMS.labels - count


def test_fewer_than_twenty_clusters_are_inconclusive() -> None:
    few = labels(TERMS.labels + 19, seed=1, deviation=0.0)
    finding = found(labels=few)
    assert finding.state is LicenceState.PROVISIONAL
    assert "Next look: after 1 more expert grade." in finding.reason
    repeated = labels(TERMS.labels + 40, seed=1, deviation=0.0)
    repeated = [replace(label, cluster=str(number % 19)) for number, label in enumerate(repeated)]
    finding = found(labels=repeated)
    assert finding.state is LicenceState.PROVISIONAL
    assert finding.figures["audit"]["verdict"] is Transport.INCONCLUSIVE
    assert "So far it may be off by" in finding.reason


def test_a_judge_that_disagrees_is_refused() -> None:
    generator = random.Random(2)
    noise = [
        replace(label, grade=generator.choice((1.0, 5.0)), score=on_scale(label.score)) for label in labels(90, seed=1)
    ]
    finding = found(labels=noise)
    assert finding.state is LicenceState.REFUSED
    assert finding.reason.startswith("Its agreement with experts (Gwet's AC2, quadratic weights) is ")


def test_grades_beyond_the_labelled_ones_cannot_be_said_to_fit() -> None:
    finding = found(scores={"v1": [1.0] * 10 + [3.5] * 90, "base": [1.0] * 100})
    assert finding.state is LicenceState.PROVISIONAL
    assert finding.reason.startswith("Too early to say: 10% of its grades of v1")
    assert finding.figures["outside"] == {"v1": 0.1}


def test_a_judge_that_is_off_on_fresh_rows_is_refused() -> None:
    first = labels(TERMS.labels, seed=1, deviation=QUIET)
    fresh = labels(25, seed=2, deviation=QUIET, off=-0.8, start=100)
    finding = found(labels=[*first, *fresh])
    assert finding.state is LicenceState.REFUSED
    assert finding.figures["audit"]["verdict"] is Transport.FAIL
    assert "off by +0." in finding.reason


def test_one_model_that_is_graded_otherwise_is_enough() -> None:
    other = [replace(one, model="o", name="v9") for one in labels(25, seed=3, deviation=QUIET, off=1.2, start=200)]
    mixed = [*labels(TERMS.labels + 100, seed=1, deviation=QUIET), *other]
    finding = found(labels=mixed)
    assert finding.state is LicenceState.REFUSED
    assert "It grades v9 otherwise" in finding.reason


def test_without_a_margin_nothing_is_graded() -> None:
    finding = assessed(known(), seed="s", terms=Terms(margin=None))
    assert finding.state is LicenceState.PROVISIONAL
    assert finding.figures["audit"]["verdict"] is Transport.NOT_GRADED


def test_answers_of_another_base_model_are_watched_by_themselves() -> None:
    grown = [
        *labels(TERMS.labels + 40, seed=1, deviation=QUIET),
        *labels(30, seed=4, deviation=QUIET, off=0.6, start=300, base="large"),
    ]
    calibration = calibrated(grown, TERMS, seed="s")
    assert calibration is not None
    assert calibration.drift is not None
    assert calibration.drift.changed == "large"


def test_a_judge_that_grades_the_same_answers_otherwise_is_suspended() -> None:
    shift = Shift(day="27 Nov 2026", rows=20, shift=0.5, low=0.3, high=0.7)
    finding = found(shift=shift)
    assert finding.state is LicenceState.SUSPENDED
    assert "the same 20 answers got +0.50 on 27 Nov 2026" in finding.reason
    by_chance = replace(shift, low=-0.1)
    assert found(shift=by_chance).state is LicenceState.LICENSED


def test_who_had_a_licence_loses_it() -> None:
    finding = found(tests=[Trial(judge="Strict", figures=figures(generous))], was_licensed=True)
    assert finding.state is LicenceState.SUSPENDED


def test_a_change_says_why_it_is_provisional_again() -> None:
    finding = found(labels=[], replaces="The rubric changed, so that the judge needs a licence for its new version.")
    assert finding.state is LicenceState.PROVISIONAL
    assert finding.reason.startswith("The rubric changed")


def test_what_an_earlier_version_was_worth_is_tried_on_new_labels() -> None:
    calibration = calibrated(labels(75, seed=1, deviation=QUIET), TERMS, seed="s")
    assert calibration is not None
    old = {"scores": calibration.map.scores, "grades": calibration.map.grades}
    same = carried_over(labels(40, seed=5, deviation=QUIET), old, calibration.baseline)
    moved = carried_over(labels(40, seed=5, deviation=QUIET, off=0.7), old, calibration.baseline)
    assert same is not None
    assert moved is not None
    assert same < 20 <= moved
    assert carried_over([], old, calibration.baseline) is None


def test_an_assessment_is_the_same_every_time() -> None:
    assert found() == found()


@pytest.mark.slow
def test_a_drift_of_half_a_grade_suspends_within_fifty_labels() -> None:
    """In 90% of courses at a standard deviation of 0.75 with a large baseline, and seldom without a drift.

    The bound leaves room for chance: 60 courses of a true 90% give 80% or more in 99.6% of cases.
    """
    terms, size = Terms(labels=1200), 1200 + 40
    drifted = false = runs = 0
    for seed in range(60):
        base = labels(size, seed=seed)
        first = calibrated(base, terms, seed="s")
        if first is None or first.drift is None:
            base = [*base, *labels(40, seed=1000 + seed, start=size)]
        off = 0.5 if seed % 2 else -0.5
        moved = calibrated([*base, *labels(50, seed=2000 + seed, off=off, start=9000)], terms, seed="s")
        still = calibrated([*base, *labels(400, seed=3000 + seed, start=9000)], terms, seed="s")
        assert moved is not None
        assert still is not None
        if moved.drift is None or still.drift is None:
            continue
        runs += 1
        drifted += moved.drift.found is not None
        false += still.drift.found is not None
    assert runs >= 50
    assert drifted / runs >= 0.8
    assert false / runs <= 0.12
