"""The stand-in's PromQL endpoint: signed by hand, and as strict as the documentation."""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from standin.cloudwatch.containers import LABELS
from standin.cloudwatch.promql.expressions import BadQuery, parse
from standin.server import REGION, StandIn
from tests.standin.deployment import running_standin

BASE = {LABELS["component"]: "base"}
Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """With ten minutes of samples of a base that was asked."""
    with running_standin(tmp_path_factory.mktemp("promql")) as standin:
        series, now = standin.hosting.containers.series, standin.hosting.now
        for minute in range(10):
            at = now - 600 + minute * 60
            series.add("vllm:num_requests_waiting", BASE, at, float(minute % 3))
            for model in ("base", "one"):
                labels = {**BASE, "model_name": model}
                series.add("vllm:generation_tokens_total", labels, at, 100.0 * minute if minute < 5 else 10.0 * minute)
                for bound, share in (("0.1", 0.5), ("0.5", 0.9), ("+Inf", 1.0)):
                    name = "vllm:time_to_first_token_seconds_bucket"
                    series.add(name, {**labels, "le": bound}, at, share * minute * 10)
        yield standin


@pytest.fixture
def ask(standin: StandIn) -> Ask:
    def post(path: str = "/api/v1/query", *, key: str = "test", secret: str = "test", **form: Any) -> httpx.Response:
        url, body = f"{standin.url}{path}", urlencode(form).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        request = AWSRequest("POST", url, data=body, headers=headers)
        SigV4Auth(Credentials(key, secret), "monitoring", REGION).add_auth(request)
        return httpx.post(url, content=body, headers=dict(request.headers.items()))

    return post


def vector(answer: httpx.Response) -> list[str]:
    document = answer.json()
    assert (answer.status_code, document["status"], document["data"]["resultType"]) == (200, "success", "vector")
    return [one["value"][1] for one in document["data"]["result"]]


def test_levels_rates_and_quantiles(ask: Ask) -> None:
    assert vector(ask(query='{"vllm:num_requests_waiting"}')) == ["0.0"]
    assert vector(ask(query="max(max_over_time(vllm:num_requests_waiting[1h]))")) == ["2.0"]
    base = f'"{LABELS["component"]}"="base"'
    assert vector(ask(query=f'sum(increase({{"vllm:generation_tokens_total", {base}}}[1h]))')) == ["980.0"]
    by_model = ask(query=f'sum by (model_name) (increase({{"vllm:generation_tokens_total", {base}}}[1h]))')
    assert [one["metric"] for one in by_model.json()["data"]["result"]] == [
        {"model_name": "base"}, {"model_name": "one"}
    ]  # fmt: skip
    first = '{"vllm:time_to_first_token_seconds_bucket"}[1h]'
    assert vector(ask(query=f"histogram_quantile(0.5, sum by (le) (rate({first})))")) == ["0.1"]
    assert vector(ask(query=f"histogram_quantile(0.95, sum(rate({first})) by (le))")) == ["0.5"]


def test_a_range_has_values_at_its_steps_and_gaps(ask: Ask, standin: StandIn) -> None:
    now = standin.hosting.now
    form = {"start": now - 1200, "end": now, "step": "300s", "query": '{"vllm:num_requests_waiting"}'}
    document = ask("/api/v1/query_range", **form).json()["data"]
    assert document["resultType"] == "matrix"
    [series] = document["result"]
    assert all(isinstance(value, str) for _, value in series["values"])
    assert [round(at - now) for at, _ in series["values"]] == [-600, -300, 0]
    assert ask("/api/v1/query_range", **form | {"query": "unknown"}).json()["data"]["result"] == []


def test_nothing_observed_is_nan(ask: Ask, standin: StandIn) -> None:
    at = standin.hosting.now
    for when in (at - 60, at - 30):
        for bound in ("0.1", "+Inf"):
            standin.hosting.containers.series.add("quiet_bucket", {"le": bound}, when, 5.0)
    assert vector(ask(query="histogram_quantile(0.5, rate(quiet_bucket[5m]))")) == ["NaN"]


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/api/v1/query", {}),
        ("/api/v1/query", {"query": '{"@resource.host.id"="h"}'}),
        ("/api/v1/query", {"query": "rate(x)"}),
        ("/api/v1/query", {"query": "x[5m]"}),
        ("/api/v1/query", {"query": "sum(x"}),
        ("/api/v1/query", {"query": "x y"}),
        ("/api/v1/query", {"query": 'x{a=~"b"}'}),
        ("/api/v1/query", {"query": "max_over_time(x[25h])"}),
        ("/api/v1/query", {"query": "x", "limit": 501}),
        ("/api/v1/query", {"query": "x", "time": "now"}),
        ("/api/v1/query_range", {"query": "x", "start": 2, "end": 1, "step": "60s"}),
        ("/api/v1/query_range", {"query": "x", "start": 1, "end": 2, "step": "0s"}),
        ("/api/v1/query_range", {"query": "max_over_time(x[1h])", "start": 0, "end": 86_400, "step": "1h"}),
    ],
)
def test_a_bad_query_is_refused(ask: Ask, path: str, form: dict[str, Any]) -> None:
    answer = ask(path, **form)
    assert (answer.status_code, answer.json()["status"], answer.json()["errorType"]) == (400, "error", "bad_data")


def test_a_metric_name_is_compulsory() -> None:
    with pytest.raises(BadQuery, match="name is required"):
        parse('{"@resource.host.id"="h"}')


def test_only_a_right_signature_is_answered(ask: Ask, standin: StandIn) -> None:
    assert ask(query="x").status_code == 200
    wrong = ask(query="x", secret="guessed")
    assert (wrong.status_code, json.loads(wrong.content)["__type"]) == (403, "InvalidSignatureException")
    url, headers = f"{standin.url}/api/v1/query", {"Content-Type": "application/x-www-form-urlencoded"}
    request = AWSRequest("POST", url, data=b"query=x", headers=headers)
    SigV4Auth(Credentials("test", "test"), "monitoring", REGION).add_auth(request)
    signed = dict(request.headers.items())
    assert httpx.post(url, content=b"query=x", headers=signed).status_code == 200
    assert httpx.post(url, content=b"query=y", headers=signed).status_code == 403
    late = (dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)).strftime("%Y%m%dT%H%M%SZ")
    assert httpx.post(url, content=b"query=x", headers=signed | {"X-Amz-Date": late}).status_code == 403
