"""Documents are read strictly and come back as they were written."""

import json

import pytest

from lorakit.contracts import (
    InvocationRecord,
    MetricEvent,
    RunResult,
    TrainManifest,
    TrainSpec,
    decode_event,
)
from lorakit.errors import ContractError

SPEC = TrainSpec(base_model="/models/base", base_id="tiny-llama", target_modules=("q_proj", "v_proj"))


def changed(**fields: object) -> str:
    return json.dumps(json.loads(SPEC.to_json()) | fields)


def test_a_document_comes_back_as_it_was_written() -> None:
    record = InvocationRecord(
        request_id="r1",
        at=1.5,
        tenant_id="t",
        key_id="k",
        alias="summary",
        version_id=None,
        deployment=None,
        status=404,
        error_code="model_not_found",
        prompt_tokens=0,
        completion_tokens=0,
        latency_ms=2.0,
        first_token_ms=None,
        busy_ms=0.0,
        streamed=False,
    )
    for document in (SPEC, record, RunResult(ok=True, metrics={"loss": 0.5})):
        assert type(document).from_json(document.to_json()) == document


def test_the_schema_version_is_written_and_checked() -> None:
    assert json.loads(SPEC.to_json())["schema"] == 1
    with pytest.raises(ContractError) as caught:
        TrainSpec.from_json(changed(schema=2))
    assert caught.value.field == "schema"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("r", "16"),
        ("r", 0),
        ("r", 2.5),
        ("epochs", "three"),
        ("learning_rate", 0),
        ("target_modules", ["q_proj", 1]),
        ("quantization", "int8"),
        ("base_id", None),
        ("colour", "red"),
    ],
)
def test_a_wrong_field_is_named(field: str, value: object) -> None:
    with pytest.raises(ContractError) as caught:
        TrainSpec.from_json(changed(**{field: value}))
    assert caught.value.field.startswith(field)


def test_a_missing_field_is_named() -> None:
    with pytest.raises(ContractError) as caught:
        TrainSpec.from_json("{}")
    assert caught.value.field == "base_model"


def test_an_unknown_key_inside_another_document_is_named() -> None:
    manifest = TrainManifest(
        spec=SPEC,
        versions={"torch": "2"},
        base_sha256="1" * 64,
        data_sha256={"train": "2" * 64},
        adapter_sha256="3" * 64,
        metrics={},
    )
    data = json.loads(manifest.to_json())
    data["spec"]["colour"] = "red"
    with pytest.raises(ContractError) as caught:
        TrainManifest.from_json(json.dumps(data))
    assert caught.value.field == "spec.colour"


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"base_model": NaN}', "\xff"])
def test_what_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(ContractError):
        TrainSpec.from_json(text)


def test_an_event_is_read_by_its_type() -> None:
    line = '{"seq": 3, "t": 9.5, "type": "metric", "step": 1, "total": 4, "fraction": 0.25, "loss": 2.0}'
    assert decode_event(line) == MetricEvent(seq=3, t=9.5, step=1, total=4, fraction=0.25, loss=2.0)
    with pytest.raises(ContractError) as caught:
        decode_event('{"seq": 3, "t": 9.5, "type": "party"}')
    assert caught.value.field == "type"


def test_json_nested_a_million_deep_is_refused_like_any_other_nonsense() -> None:
    with pytest.raises(ContractError):
        TrainSpec.from_json('{"target_modules": ' + "[" * 1_000_000 + "]" * 1_000_000 + "}")
