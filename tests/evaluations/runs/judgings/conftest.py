"""A judge whose model is scripted, over a real connection."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from pytest_django import Settings

from evaluations.judges.services import create_judge
from evaluations.models import Judge, JudgeKind
from tenants.models import Tenant
from tests.evaluations.judges.scripted_model import ScriptedModel, openai_server


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
def make_judge(in_tenant: Tenant, model: ScriptedModel, settings: Settings) -> Iterator[Callable[..., Judge]]:
    with openai_server(model) as address:
        settings.JUDGE_PRIVATE_HOSTS = [urlsplit(address).netloc]

        def make(name: str = "Strict", **changes: Any) -> Judge:
            values: dict[str, Any] = {"kind": JudgeKind.OPENAI, "model": "grader", "address": address, "samples": 1}
            return create_judge(tenant=in_tenant, name=name, **{**values, **changes})

        yield make


@pytest.fixture
def judge(make_judge: Callable[..., Judge]) -> Judge:
    return make_judge(price_in=Decimal(2), price_out=Decimal(8))
