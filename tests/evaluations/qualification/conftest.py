"""A judge whose model is one of the behaviours, behind a real OpenAI server."""

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from pytest_django import Settings

from evaluations.judges.services import create_judge
from evaluations.models import Judge
from evaluations.qualification.cases import Case, everything
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.evaluations.judges.scripted_model import Said, ScriptedModel, openai_server
from tests.evaluations.qualification.behaviours import Behaviour, perfect


def speaking(behaviour: Behaviour) -> Callable[[str, str], Said]:
    """What a model says that behaves so. Its grades are whole."""
    by_prompt = {(one.prompt.system, one.prompt.user): one for one in everything()}

    def says(system: str, user: str) -> Said:
        one = by_prompt[system, user]
        outcome = behaviour(one)
        if isinstance(one, Case):
            return Said(document={"reason": f"Read {one.kind}.", "score": int(outcome.score or 0)})
        return Said(document={"reason": "Compared.", "better": outcome.better})

    return says


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel(says=speaking(perfect))


@pytest.fixture
def judge(tenant: Tenant, settings: Settings, model: ScriptedModel) -> Iterator[Judge]:
    # The script's server is on loopback, which only judges of an embedded site may ask.
    settings.EMBEDDED = True
    with openai_server(model) as url:
        with tenant_scope(tenant.id):
            made = create_judge(
                tenant=tenant,
                name="Strict",
                kind="openai",
                model="grader",
                address=url,
                price_in=Decimal(1),
                price_out=Decimal(2),
            )
        yield made
