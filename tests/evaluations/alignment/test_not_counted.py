"""Rows that a judge was shown with experts' grades: no evidence about it, and no help in a decision."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from evaluations.agreement.report import reports_of
from evaluations.gates.evidence import case_of
from evaluations.gates.licensing import licensed_control
from evaluations.gates.packs.rows import packed_rows
from evaluations.gates.policies import read_policy
from evaluations.gates.queries import decision_named
from evaluations.gates.services import open_decision, set_policy
from evaluations.licences.corrected import standing_of
from evaluations.licences.known import known_about
from evaluations.licences.services import assess_judging
from evaluations.models import EvaluationRun, Judging, Licence, LicenceState
from lorakit.verify.packed import row_of
from tenants.models import Tenant, User
from tests.evaluations.gates.rounds import grade_next, make_round
from tests.evaluations.licences.cases import ROWS, experts, graded, judged, qualified, scores

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

SHOWN = 3


@pytest.fixture
def run(in_tenant: Tenant, make_evaluation: Callable[..., EvaluationRun]) -> EvaluationRun:
    return make_evaluation(in_tenant, rows=ROWS)


@pytest.fixture
def judging(run: EvaluationRun) -> Judging:
    qualified(run)
    return judged(run, scores())


def shown(judging: Judging) -> list[str]:
    """As if the judge had been shown the first rows; their prompts."""
    rows = list(judging.run.items.values_list("prompt_sha256", flat=True)[:SHOWN])
    (judge,) = judging.judges
    judge["alignment"] = {"id": "0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11", "plain": judge["fingerprint"], "rows": rows}
    judging.save(update_fields=["judges"])
    return rows


def test_agreement_licence_and_corrected_means_do_without_them(judging: Judging, rita: User) -> None:
    graded(judging.run, experts(scores())[:70], reviewers=[rita])
    (before,) = [one.found for one in reports_of(judging.run)[0].judges if one.judging == judging.id]
    assert before is not None
    assert before.count == 70
    corrected = standing_of(judging).means[0]
    assert corrected.powered is not None
    rows = shown(judging)
    licence = assess_judging(judging=judging)
    assert licence is not None
    known = known_about(Licence.objects.get(id=licence.id))
    # The licence is new, so that only rounds made after it count: none so far.
    assert known.labels == []
    graded(judging.run, experts(scores())[:70], reviewers=[rita])
    known = known_about(Licence.objects.get(id=licence.id))
    assert len(known.labels) == 70 - SHOWN
    assert not {one.cluster for one in known.labels} & set(rows)
    assert sum(len(found) for found in known.scores.values()) == ROWS - SHOWN
    newest = reports_of(judging.run)[0]
    (after,) = [one.found for one in newest.judges if one.judging == judging.id]
    assert after is not None
    assert after.count == 70 - SHOWN
    again = standing_of(judging).means[0]
    assert again.powered is not None
    assert again.labels == 70 - SHOWN


def test_no_control_in_a_decision_where_they_are_among_its_rows(judging: Judging, rita: User) -> None:
    graded(judging.run, experts(scores())[:70], reviewers=[rita])
    licence = assess_judging(judging=judging)
    assert licence is not None
    assert licence.state == LicenceState.LICENSED
    run = EvaluationRun.objects.prefetch_related("judgings").get(id=judging.run_id)
    assert licensed_control(run) is not None
    shown(judging)
    run = EvaluationRun.objects.prefetch_related("judgings").get(id=judging.run_id)
    assert licensed_control(run) is None


def test_a_decision_and_its_pack_have_no_grade_of_them(in_tenant: Tenant, judging: Judging, rita: User) -> None:
    policy: dict[str, Any] = {"conditions": [{"kind": "judge", "at_least": 2}]}
    set_policy(tenant=in_tenant, adapter=judging.run.version.adapter, policy=read_policy(policy), set_by=None)
    shown(judging)
    found = make_round(judging.run, [rita])
    made = open_decision(tenant=in_tenant, version=judging.run.version, opened_by=None)
    grade_next(found, rita, 4.0, count=40)
    decision = decision_named(made.id)
    rows = list(case_of(decision).rows)
    assert [row.number for row in rows if row.answers["own"].judge is None] == [row.number for row in rows[:SHOWN]]
    buffer = io.StringIO()
    for line in packed_rows(decision):
        buffer.write(json.dumps(line) + "\n")
    assert [row_of(json.loads(line)) for line in buffer.getvalue().splitlines()] == rows
