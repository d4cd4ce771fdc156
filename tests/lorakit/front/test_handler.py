"""The function behind API Gateway: who may ask what, where it goes, and what is refused before it costs anything."""

import base64
import io
import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from botocore.stub import ANY

from lorakit.front import handler as function
from lorakit.front.backends import routes as bucket
from lorakit.front.backends.routes import BucketSource
from lorakit.front.backends.runtime import Runtime
from lorakit.front.routes import Address, StoredRouter, StoredRoutes
from lorakit.route.examples import Examples
from lorakit.route.rules import Rule
from lorakit.route.table import Table

RULES = [Rule(kind="keyword", texts=("refund", "invoice"), target="billing")]
LEARNT = Examples.learn(
    {"billing": ["money was taken twice", "charge on my card"], "legal": ["clause of the contract", "liability cap"]}
)
CHAT = {"model": "billing", "messages": [{"role": "user", "content": "Hello"}]}


def routes_of(tenant: str, rules: list[Rule] = RULES, default: str = "legal", **more: Any) -> bytes:
    router = StoredRouter(revision=3, rules=rules, compiled=Table.compile(rules).dump(), default=default, **more)
    models = {
        "billing": Address("shared", f"{tenant}-billing-7f", 4),
        "legal": Address("shared", f"{tenant}-legal-1c", 1),
        "base": Address("shared", "shared-base"),
    }
    return StoredRoutes(models=models, routers={"desk": router}).dump()


class S3:
    """The bucket: objects by key. `fails` makes every call fail."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.reads: list[dict[str, str]] = []
        self.fails = False

    def get_object(self, **asked: str) -> dict[str, Any]:
        self.reads.append(asked)
        if self.fails:
            raise ConnectTimeoutError(endpoint_url="https://s3")
        content = self.objects.get(asked["Key"])
        if content is None:
            raise client_error("NoSuchKey", 404)
        etag = str(hash(content))
        if asked.get("IfNoneMatch") == etag:
            raise client_error("304", 304)
        return {"Body": io.BytesIO(content), "ETag": etag}


class SageMaker:
    """The endpoint, which says what it was sent; `refusal` is raised instead."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.refusal: Exception | None = None

    def invoke_endpoint(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        if self.refusal is not None:
            raise self.refusal
        return {"Body": io.BytesIO(json.dumps({"model": "inner-name", "choices": [{"index": 0}]}).encode())}


def client_error(code: str, status: int, **more: Any) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}, **more}
    return ClientError(response, "Operation")


@pytest.fixture
def s3() -> S3:
    return S3()


@pytest.fixture
def sagemaker() -> SageMaker:
    return SageMaker()


@pytest.fixture(autouse=True)
def connected(s3: S3, sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.objects = {f"front/{tenant}.json": routes_of(tenant) for tenant in ("acme", "globex")}
    source, runtime = BucketSource("bucket", "front/", s3), Runtime(sagemaker)
    monkeypatch.setattr(function, "_source", lambda: source)
    monkeypatch.setattr(function, "_runtime", lambda: runtime)


def event(path: str, tenant: str, body: Any, **more: Any) -> dict[str, Any]:
    return {
        "resource": f"/{{tenant}}/{path}",
        "pathParameters": {"tenant": tenant},
        "requestContext": {"requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"},
        "body": body if isinstance(body, str | None) else json.dumps(body),
        **more,
    }


def ask(body: Any, *, tenant: str = "acme", path: str = "v1/chat/completions", **more: Any) -> tuple[int, Any, Any]:
    """Status, document and headers of the response."""
    answer = function.handler(event(path, tenant, body, **more), None)
    return answer["statusCode"], json.loads(answer["body"]), answer["headers"]


def test_a_named_model_is_asked_as_one_component_of_the_endpoint(sagemaker: SageMaker) -> None:
    more = {"adapters": ["globex-billing-7f"], "lora_request": {"name": "x"}, "temperature": 0}
    status, document, headers = ask({**CHAT, **more})
    assert (status, document["model"]) == (200, "billing")
    assert headers["x-adapter-version"] == "4"
    assert headers["x-request-id"] == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    assert "x-route" not in headers
    [asked] = sagemaker.asked
    assert asked == {
        "EndpointName": "shared",
        "InferenceComponentName": "acme-billing-7f",
        "ContentType": "application/json",
        "InferenceId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
        "Body": ANY,
    }
    assert json.loads(asked["Body"]) == {"messages": CHAT["messages"], "temperature": 0}


@pytest.mark.parametrize(
    ("text", "component", "why"),
    [
        ("I want a REFUND", "acme-billing-7f", "desk;by=rule;rule=1;revision=3"),
        ("Hello", "acme-legal-1c", "desk;by=default;revision=3"),
    ],
)
def test_a_router_chooses_and_says_why(sagemaker: SageMaker, text: str, component: str, why: str) -> None:
    status, _, headers = ask({"model": "desk", "messages": [{"role": "user", "content": text}]})
    assert (status, headers["x-route"]) == (200, why)
    assert sagemaker.asked[0]["InferenceComponentName"] == component


def test_what_no_rule_fits_goes_to_what_was_learnt(s3: S3, sagemaker: SageMaker) -> None:
    s3.objects["front/acme.json"] = routes_of(
        "acme", default="base", learnt=LEARNT.dump(), targets=["billing", "legal"], floor=0.5
    )
    ask({"model": "desk", "messages": [{"role": "user", "content": "the liability cap of the contract"}]})
    assert sagemaker.asked[0]["InferenceComponentName"] == "acme-legal-1c"
    ask({"model": "desk", "prompt": "zzz"}, path="v1/completions")
    assert sagemaker.asked[1]["InferenceComponentName"] == "shared-base"


def test_only_the_path_that_iam_granted_says_whose_models_answer(sagemaker: SageMaker) -> None:
    ask({**CHAT, "tenant": "acme", "model": "billing"}, tenant="globex", headers={"x-tenant": "acme"})
    assert sagemaker.asked[0]["InferenceComponentName"] == "globex-billing-7f"
    for tenant in ("nobody", "../acme", "acme.json", "", "ACME"):
        status, document, _ = ask(CHAT, tenant=tenant)
        assert (status, document["error"]["code"]) == (404, "model_not_found")
    assert len(sagemaker.asked) == 1


def test_the_models_of_an_organisation() -> None:
    status, document, _ = ask(None, path="v1/models")
    assert status == 200
    assert [model["id"] for model in document["data"]] == ["base", "billing", "desk", "legal"]


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ("{", "invalid_json", None),
        ("[]", "invalid_json", None),
        ('{"model": NaN}', "invalid_json", None),
        ({}, "invalid_value", "model"),
        ({"model": "billing"}, "invalid_value", "messages"),
        ({"model": "billing", "messages": []}, "invalid_value", "messages"),
        ({"model": "billing", "messages": [{"role": "robot", "content": "x"}]}, "invalid_value", "messages"),
        ({"model": "billing", "messages": [{"role": "user", "content": 7}]}, "invalid_value", "messages"),
        ({**CHAT, "stream": True}, "invalid_value", "stream"),
        ({**CHAT, "model": "unknown"}, "model_not_found", "model"),
    ],
)
def test_what_is_wrong_costs_no_gpu(sagemaker: SageMaker, body: Any, code: str, param: str | None) -> None:
    status, document, _ = ask(body)
    assert 400 <= status < 500
    assert (document["error"]["code"], document["error"]["param"]) == (code, param)
    assert not sagemaker.asked


def test_a_body_in_base64_and_one_that_is_too_large(sagemaker: SageMaker) -> None:
    encoded = base64.b64encode(json.dumps(CHAT).encode()).decode()
    assert ask(encoded, isBase64Encoded=True)[0] == 200
    assert ask("!", isBase64Encoded=True)[0] == 400
    assert ask({**CHAT, "user": "x" * 6_000_000})[0] == 413
    assert len(sagemaker.asked) == 1


def test_a_router_without_a_default_refuses_what_nothing_fits(s3: S3, sagemaker: SageMaker) -> None:
    s3.objects["front/acme.json"] = routes_of("acme", default="")
    status, document, _ = ask({**CHAT, "model": "desk"})
    assert (status, document["error"]["code"]) == (404, "no_route")
    assert not sagemaker.asked


REFUSED = json.dumps({"error": {"message": "n: too many.", "code": "invalid_value", "param": "n"}})


@pytest.mark.parametrize(
    ("refusal", "status", "code"),
    [
        (client_error("ModelError", 424, OriginalStatusCode=400, OriginalMessage=REFUSED), 400, "invalid_value"),
        (client_error("ModelError", 424, OriginalStatusCode=422, OriginalMessage="<html>"), 422, "invalid_request"),
        (client_error("ModelError", 424, OriginalStatusCode=404, OriginalMessage="inner"), 503, "endpoint_unavailable"),
        (client_error("ModelError", 424, OriginalStatusCode=500, OriginalMessage="inner"), 502, "endpoint_error"),
        (client_error("ThrottlingException", 400), 429, "endpoint_busy"),
        (client_error("ValidationError", 400), 503, "endpoint_unavailable"),
        (ConnectTimeoutError(endpoint_url="https://runtime"), 503, "endpoint_unavailable"),
    ],
)
def test_the_endpoints_refusals(
    sagemaker: SageMaker, capsys: pytest.CaptureFixture[str], refusal: Exception, status: int, code: str
) -> None:
    sagemaker.refusal = refusal
    given, document, _ = ask(CHAT)
    assert (given, document["error"]["code"]) == (status, code)
    assert "inner" not in document["error"]["message"]
    logged = capsys.readouterr().out
    assert code in logged
    assert "Hello" not in logged


def test_new_routes_are_seen_in_seconds_and_old_ones_outlive_an_outage(
    s3: S3, sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    ask(CHAT)
    ask(CHAT)
    assert len(s3.reads) == 1
    now[0] += bucket.FRESH_SECONDS
    ask(CHAT)
    assert "IfNoneMatch" in s3.reads[-1]
    s3.objects["front/acme.json"] = routes_of("acme-new")
    now[0] += bucket.FRESH_SECONDS
    ask(CHAT)
    assert sagemaker.asked[-1]["InferenceComponentName"] == "acme-new-billing-7f"
    s3.fails = True
    now[0] += bucket.FRESH_SECONDS
    assert ask(CHAT)[0] == 200
    now[0] += bucket.STALE_SECONDS + 1
    status, document, _ = ask(CHAT)
    assert (status, document["error"]["code"]) == (503, "routes_unavailable")


def test_rules_compiled_elsewhere_are_compiled_again(s3: S3, sagemaker: SageMaker) -> None:
    router = StoredRouter(revision=1, rules=RULES, compiled=b"of another processor", default="legal")
    s3.objects["front/acme.json"] = StoredRoutes(
        models={"billing": Address("shared", "b"), "legal": Address("shared", "l")}, routers={"desk": router}
    ).dump()
    ask({"model": "desk", "messages": [{"role": "user", "content": "refund"}]})
    assert sagemaker.asked[0]["InferenceComponentName"] == "b"
