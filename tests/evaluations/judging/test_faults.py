"""A fifth of all replies are faults of every sort, over real connections; nothing missing is ever a score."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from evaluations.judges.backends.base import Judge
from evaluations.judges.backends.bedrock import BedrockJudge
from evaluations.judges.backends.openai import OpenAIJudge
from evaluations.judges.backends.reference import graded
from evaluations.judges.calling import Breaker, Caller
from evaluations.judging.jurors import Juror
from evaluations.judging.plan import Plan
from evaluations.judging.results import results
from evaluations.judging.steps import advance, standings_of
from evaluations.judging.summary import summarise
from evaluations.models import Verdict
from standin.server import REGION
from tenants.models import Tenant
from tests.evaluations.judges.scripted_model import Said, ScriptedModel, obedient, openai_server, verdict
from tests.evaluations.judging.case import one_criterion, rows
from tests.standin.deployment import running_standin

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

PLAN = Plan(rubric=one_criterion())
TOTAL = 150
MODEL = "standin.grader-20260101-v1:0"

FAULTS = [
    Said(text="", fault="timeout"),
    Said(text="", fault="throttled", retry_after=3),
    Said(text="", fault="unavailable"),
    Said(text="", fault="refused"),
    Said(text="I would say five."),
    Said(text='{"reason": "cut'),
    Said(document={"score": 5}),
    verdict("5"),
    verdict(4.5),
    verdict(6),
    verdict(None),
]


class Faulty:
    """Says a fault one time in five, and is right else."""

    def __init__(self) -> None:
        self.chance = random.Random(11)
        self.faults = 0

    def __call__(self, system: str, user: str) -> Said:
        if self.chance.random() < 0.2:
            self.faults += 1
            return self.chance.choice(FAULTS)
        return obedient(system, user)


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel(says=Faulty(), slow_seconds=5)


@pytest.fixture(params=["openai", "bedrock"])
def judge(
    request: pytest.FixtureRequest, model: ScriptedModel, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Judge]:
    common: dict[str, Any] = {"MODEL": MODEL, "TIMEOUT_SECONDS": 0.4}
    if request.param == "openai":
        with openai_server(model) as url:
            yield OpenAIJudge("test", {"URL": url, **common})
        return
    with running_standin(tmp_path_factory.mktemp("containers")) as standin:
        standin.bedrock.models[MODEL] = model.converse
        yield BedrockJudge("test", {"REGION": REGION, "ENDPOINT_URL": standin.url, **common})
        model.released.set()


def test_nothing_missing_is_a_score(in_tenant: Tenant, judge: Judge, model: ScriptedModel) -> None:
    cache.clear()
    waits: list[float] = []
    caller = Caller(judge, sleep=waits.append, breaker=Breaker(failures=20))
    juror = Juror(name="GPT", fingerprint="gpt", caller=caller)
    state: dict[str, Any] = {}
    clock = [0.0]
    over = False
    while not over:
        stage = advance([juror], PLAN, lambda start: rows(TOTAL, start), state, total=TOTAL, now=lambda: clock[0])
        state, over = stage.state, stage.over
        clock[0] += stage.wait

    assert isinstance(model.says, Faulty)
    assert model.says.faults > 40
    seen: dict[str, int] = {"refused": 0, "": 0}
    for result in results([juror], PLAN, rows(TOTAL)):
        for name, grade in result.grades.items():
            right, _ = graded(result.row.reference, result.row.answers[name])
            if grade.grade is None:
                assert grade.missing == {"refused": 1}
                seen["refused"] += 1
            else:
                assert grade.grade == right
                seen[""] += 1
    assert seen[""] + seen["refused"] == 2 * TOTAL
    assert seen["refused"] >= 1
    assert Verdict.objects.filter(score=None).count() == seen["refused"]
    found = summarise(PLAN, results([juror], PLAN, rows(TOTAL)), left=standings_of([juror], state)["gpt"].left)
    assert {one.model: one.mean for one in found.models} == {"base": 1.0, "v1": 5.0}
    assert found.complete == all(one.judged >= 0.95 * one.rows for one in found.models)
    usage = standings_of([juror], state)["gpt"].usage
    assert usage.calls == len(model.calls)
    if isinstance(judge, OpenAIJudge):
        assert max(waits) >= 3, "the time that the server named was not waited"
