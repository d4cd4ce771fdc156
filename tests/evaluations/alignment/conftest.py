"""A lenient judge that experts contradict, whose model grades as they do once it is shown examples."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from pytest_django import Settings

from evaluations.judges.services import create_judge
from evaluations.judging.jurors import juror_of
from evaluations.models import EvaluationRun, Grade, Judge, JudgeKind, Judging, JudgingState, RubricVersion
from tenants.models import Tenant, User
from tests.evaluations.judges.scripted_model import Said, ScriptedModel, openai_server, verdict
from tests.evaluations.licences.cases import graded, own_answers

ROWS = 90
LENIENT = 5
ASKED = re.compile(r"Which shelf holds box (\d+)\?")


def truth(number: int) -> int:
    """What experts give the answer about this box."""
    return 1 + number % 4


def taught(system: str, user: str) -> Said:
    """As experts grade where there are examples, else leniently."""
    box = int(ASKED.findall(user)[-1])
    return verdict(truth(box) if "graded example" in system else LENIENT)


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel(says=taught)


@pytest.fixture
def judge(in_tenant: Tenant, model: ScriptedModel, settings: Settings) -> Iterator[Judge]:
    with openai_server(model) as address:
        settings.JUDGE_PRIVATE_HOSTS = [urlsplit(address).netloc]
        yield create_judge(
            tenant=in_tenant,
            name="Lenient",
            kind=JudgeKind.OPENAI,
            model="grader",
            address=address,
            price_in=Decimal(2),
            price_out=Decimal(8),
        )


@pytest.fixture
def run(in_tenant: Tenant, make_evaluation: Callable[..., EvaluationRun]) -> EvaluationRun:
    return make_evaluation(in_tenant, rows=ROWS)


def judged_by(judge: Judge, run: EvaluationRun, rubric_version: RubricVersion | None = None) -> Judging:
    """All answers of the version got the lenient grade, by each criterion."""
    found: Judging = Judging.objects.create(
        tenant=run.tenant,
        run=run,
        state=JudgingState.READY,
        judges=[juror_of(judge).to_dict()],
        rubric_version=rubric_version,
    )
    names = [one["name"] for one in rubric_version.document["criteria"]] if rubric_version else ["Correctness"]
    detail = {name: {judge.name: {"score": float(LENIENT), "reason": "", "error": ""}} for name in names}
    Grade.objects.bulk_create(
        Grade(tenant_id=run.tenant_id, judging=found, answer=answer, score=LENIENT, detail=detail)
        for answer in own_answers(run)
    )
    return found


@pytest.fixture
def labelled(judge: Judge, run: EvaluationRun, rita: User) -> EvaluationRun:
    """The judge and an expert have graded every answer."""
    judged_by(judge, run)
    boxes = [int(ASKED.findall(answer.item.messages[0]["content"])[0]) for answer in own_answers(run)]
    graded(run, [truth(box) for box in boxes], reviewers=[rita])
    return run
