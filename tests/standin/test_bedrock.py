"""The stand-in's Converse is as strict as AWS's."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from standin.bedrock import ModelAnswer
from standin.server import REGION, StandIn
from tests.standin.deployment import running_standin

MODEL = "vendor.model-20260101-v1:0"
GOOD: dict[str, Any] = {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": "Hello"}]}]}


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_standin(tmp_path_factory.mktemp("containers")) as standin:
        standin.bedrock.models[MODEL] = lambda request: ModelAnswer(text="Good day")
        yield standin


@pytest.fixture(scope="module")
def aws(standin: StandIn) -> Any:
    """A client that leaves every check to the service."""
    make: Any = boto3.client
    careless = Config(parameter_validation=False, retries={"total_max_attempts": 1})
    return make("bedrock-runtime", endpoint_url=standin.url, region_name=REGION, config=careless)


def test_a_good_request_is_answered(aws: Any) -> None:
    answer = aws.converse(**GOOD)
    assert answer["output"]["message"]["content"] == [{"text": "Good day"}]
    assert answer["stopReason"] == "end_turn"
    assert answer["usage"] == {"inputTokens": 2, "outputTokens": 2, "totalTokens": 4}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"modelId": "vendor.other-v1:0"}, "model identifier is invalid"),
        ({"messages": []}, "start with a user message"),
        ({"messages": [{"role": "user", "content": [{"text": " "}]}]}, "blank"),
        ({"messages": [{"role": "critic", "content": [{"text": "Hello"}]}]}, "enum"),
        ({"inferenceConfig": {"temperature": 1.5}}, "less than or equal to 1"),
        ({"toolConfig": {"tools": []}}, "greater than or equal to 1"),
        (
            {
                "toolConfig": {
                    "tools": [{"toolSpec": {"name": "one", "inputSchema": {"json": {"type": "object"}}}}],
                    "toolChoice": {"tool": {"name": "two"}},
                }
            },
            "not in toolConfig.tools",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_request_is_refused(aws: Any, changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ClientError) as refused:
        aws.converse(**GOOD | changes)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert text in refused.value.response["Error"]["Message"]


def test_faults_are_those_of_a_rest_service(standin: StandIn, aws: Any) -> None:
    standin.faults.throttled = 1.0
    try:
        with pytest.raises(ClientError) as refused:
            aws.converse(**GOOD)
    finally:
        standin.faults.throttled = 0.0
    assert refused.value.response["Error"]["Code"] == "ThrottlingException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
