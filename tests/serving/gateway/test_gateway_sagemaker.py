"""The gateway in front of SageMaker inference components, which a stand-in really serves."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from django.utils import timezone
from pytest_django import Settings

from adapters.models import AdapterVersion
from metering.backends import usage_sources
from metering.ledger.collector import collect
from metering.observed.queries import compared
from metering.observed.services import read_observed
from serving.backends.sagemaker import SageMakerEndpoint
from serving.models import Endpoint
from standin.errors import AwsError
from standin.hosting.component import BaseComponent
from standin.server import StandIn
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.metering.backends.published import source_at
from tests.serving.conftest import user
from tests.serving.gateway.gateway_client import PROMPT, TOKENS, Line, new_line, put_live
from tests.serving.gateway.test_gateway import records

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
MakeVersion = Callable[..., AdapterVersion]
BODY = {"model": "legal", "messages": user(PROMPT), "max_tokens": TOKENS, "temperature": 0}


@pytest.fixture
def standin(aws: tuple[StandIn, SageMakerEndpoint]) -> StandIn:
    return aws[0]


@pytest.fixture
def line(
    tenant: Tenant, aws_gateway: str, sagemaker: SageMakerEndpoint, endpoint: Endpoint, make_version: MakeVersion
) -> Line:
    """Alice's tenant with one live alias, `legal`."""
    line = new_line(tenant)
    put_live(line, sagemaker, endpoint, make_version(tenant, "legal", 1))
    return line


@pytest.fixture
def other(other_tenant: Tenant, sagemaker: SageMakerEndpoint, endpoint: Endpoint, make_version: MakeVersion) -> Line:
    """Another tenant with an alias of the same name."""
    line = new_line(other_tenant)
    put_live(line, sagemaker, endpoint, make_version(other_tenant, "legal", 2))
    return line


def ask(line: Line, gateway: str, **changes: Any) -> Any:
    return line.client(gateway).chat.completions.create(**{**BODY, **changes})


def test_an_answer_whole_and_streamed(aws_gateway: str, line: Line, tmp_path: Path) -> None:
    whole = ask(line, aws_gateway)
    assert whole.model == "legal"
    assert whole.choices[0].message.content == line.answers["legal", 1]
    chunks = list(ask(line, aws_gateway, stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == line.answers["legal", 1]
    assert {chunk.model for chunk in chunks} == {"legal"}
    first, second = records(tmp_path)
    assert (first.status, second.status, second.streamed) == (200, 200, True)
    assert first.completion_tokens == second.completion_tokens == whole.usage.completion_tokens


def test_two_tenants_interleaved(aws_gateway: str, line: Line, other: Line) -> None:
    assert line.answers["legal", 1] != other.answers["legal", 1]
    asks = [one for _ in range(20) for one in (line, other)]
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda one: ask(one, aws_gateway), asks))
    assert [answer.choices[0].message.content for answer in given] == [one.answers["legal", 1] for one in asks]


def test_only_the_gateway_chooses_the_adapter(
    aws_gateway: str, line: Line, other: Line, sagemaker: SageMakerEndpoint, standin: StandIn
) -> None:
    [theirs] = [name for name in sagemaker.list() if name.startswith(other.tenant.id.hex[:20])]
    component = sagemaker.component(theirs)
    with pytest.raises(openai.NotFoundError):
        ask(line, aws_gateway, model=component)
    # As LMI does, the stand-in lets whoever asks a base name an adapter in the body.
    target = sagemaker.target("tiny-llama")
    call = target.call("/chat/completions", {**BODY, "adapters": component})
    trapped = httpx.post(call.url, content=call.body, headers=call.headers).json()
    assert trapped["choices"][0]["message"]["content"] == other.answers["legal", 1]

    base = ask(line, aws_gateway, model="tiny-llama").choices[0].message.content
    served = standin.hosting.components.find(component).served
    headers = [
        "X-Amzn-SageMaker-Inference-Component",
        "X-Amzn-SageMaker-Custom-Attributes",
        "X-Amzn-SageMaker-Adapter-Identifier",
        "X-Amzn-SageMaker-Target-Model",
    ]
    tries: list[dict[str, Any]] = [
        {"extra_body": {"adapters": component}},
        {"extra_body": {"adapters": [component]}},
        {"extra_body": {"adapter": component, "lora_request": {"lora_name": component}}},
        {"extra_query": {"adapters": component, "model": component, "InferenceComponentName": component}},
        *({"extra_headers": {name: component}} for name in headers),
    ]
    for one in tries:
        for streamed in (False, True):
            given = ask(line, aws_gateway, model="tiny-llama", stream=streamed, **one)
            if streamed:
                text = "".join(chunk.choices[0].delta.content or "" for chunk in given if chunk.choices)
            else:
                text = given.choices[0].message.content
            assert text == base, one
    assert standin.hosting.components.find(component).served == served


def test_an_adapter_that_is_gone_is_never_answered_by_another(
    aws_gateway: str, line: Line, sagemaker: SageMakerEndpoint
) -> None:
    [name] = sagemaker.list()
    sagemaker.delete(name)
    with pytest.raises(openai.InternalServerError) as refused:
        ask(line, aws_gateway)
    assert refused.value.status_code == 503
    assert name not in str(refused.value)


@pytest.mark.parametrize("streamed", [False, True])
def test_what_aws_refuses(aws_gateway: str, line: Line, standin: StandIn, streamed: bool) -> None:
    errors = [
        (AwsError("ThrottlingException", "Rate exceeded"), 429),
        (AwsError("ServiceUnavailable", "The service is currently unavailable.", 503), 503),
        (AwsError("InternalFailure", "An internal failure occurred.", 500), 503),
        (AwsError("ModelNotReadyException", "Not ready.", 429), 503),
        (AwsError("AccessDeniedException", "User: arn:aws:iam::1:user/site is not authorized", 403), 503),
        (AwsError("ValidationError", "Inference Component has no capacity to process this request."), 503),
    ]
    for error, status in errors:
        standin.runtime.faults.error = error
        with pytest.raises(openai.APIStatusError) as refused:
            ask(line, aws_gateway, stream=streamed)
        assert refused.value.status_code == status, error
        assert "arn:" not in str(refused.value)
        assert refused.value.response.headers["retry-after"]


def test_what_the_container_says(aws_gateway: str, line: Line, standin: StandIn, tmp_path: Path) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        ask(line, aws_gateway, temperature=-1)
    assert "temperature" in str(refused.value)
    standin.runtime.faults.seconds = 0.001
    with pytest.raises(openai.APIStatusError) as late:
        ask(line, aws_gateway)
    assert late.value.status_code == 504
    standin.runtime.faults.seconds = 60.0
    # A stream that breaks off is not a whole answer, whether AWS says so or not.
    for cuts in (False, True):
        standin.runtime.faults.breaks_after, standin.runtime.faults.cuts = 2, cuts
        with pytest.raises(openai.APIError):
            list(ask(line, aws_gateway, stream=True))
    assert [record.status for record in records(tmp_path)] == [400, 504, 504, 502]


def test_a_container_that_was_killed_comes_back_with_its_adapters(
    aws_gateway: str, line: Line, standin: StandIn
) -> None:
    base = standin.hosting.components.find("shared-base")
    assert isinstance(base, BaseComponent)
    assert base.engine is not None
    os.kill(base.engine.pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    answer = None
    while answer is None:
        assert time.monotonic() < deadline
        with contextlib.suppress(openai.InternalServerError):
            answer = ask(line, aws_gateway)
    assert answer.choices[0].message.content == line.answers["legal", 1]


def test_cloudwatch_counts_what_the_ledger_counts(
    aws_gateway: str, line: Line, standin: StandIn, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = timezone.now()
    for _ in range(3):
        ask(line, aws_gateway)
    assert list(ask(line, aws_gateway, stream=True))
    standin.runtime.faults.error = AwsError("InternalFailure", "An internal failure occurred.", 500)
    with pytest.raises(openai.APIStatusError):
        ask(line, aws_gateway)
    assert collect(tmp_path / "ledger") == 5
    monkeypatch.setattr(standin.hosting.metric_data.faults, "late_seconds", 0.0)
    settings.USAGE_SOURCES = {"cloudwatch": {}}
    monkeypatch.setitem(usage_sources.built, "cloudwatch", source_at(standin))
    read_observed()
    with tenant_scope(line.tenant.id):
        found = compared(before, timezone.now(), model="legal")
    # A promotion asks before it switches, without the gateway.
    assert (found.requests, found.observed_requests, found.difference) == (5, 6, 1)
    assert sum(hour.errors for hour in found.hours) == sum(hour.observed_errors or 0 for hour in found.hours) == 1
    assert all(line.row.p95_ms for line in found.lines)
