"""An evaluation judged by a judge that has passed its test, and an expert."""

from collections.abc import Callable

import pytest

from evaluations.models import EvaluationRun, Judging
from tenants.models import Tenant, User
from tests.evaluations.licences.cases import ROWS, judged, qualified, scores


@pytest.fixture
def expert(rita: User) -> User:
    return rita


@pytest.fixture
def run(in_tenant: Tenant, make_evaluation: Callable[..., EvaluationRun]) -> EvaluationRun:
    return make_evaluation(in_tenant, rows=ROWS)


@pytest.fixture
def judging(run: EvaluationRun) -> Judging:
    qualified(run)
    return judged(run, scores())
