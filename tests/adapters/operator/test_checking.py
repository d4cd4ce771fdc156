"""What a check finds, in words."""

import json
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from django.core.management import CommandError, call_command

from adapters.base_models.services import add_base_model, change_base_model
from adapters.models import BaseModel
from adapters.offers.needs import needs_of
from adapters.operator.checking import check
from tests.standin.deployment import running_standin

pytestmark = pytest.mark.django_db


@pytest.fixture
def small(uploaded: Path) -> BaseModel:
    return add_base_model(folder=uploaded, name="small")


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a bucket of its own: stand-ins of one process share what is in S3."""
    with running_standin(tmp_path / "containers") as standin:
        monkeypatch.setenv("AWS_ENDPOINT_URL", standin.url)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        name = f"models-{uuid.uuid4().hex[:12]}"
        standin.make_bucket(name)
        yield name


def found(base_model: BaseModel, level: str) -> list[str]:
    return [one.text for one in check(base_model) if one.level == level]


def change(base_model: BaseModel, **changes: str) -> None:
    said = {name: getattr(base_model, name) for name in ("title", "licence", "description")}
    change_base_model(base_model=base_model, **said | changes)


def test_one_that_is_right(small: BaseModel) -> None:
    assert found(small, "wrong") == []
    assert found(small, "ok") == ["Its files are those that were added."]
    (note,) = found(small, "note")
    assert "no tool calls and no reasoning" in note


def test_files_that_changed_and_files_that_are_gone(small: BaseModel, uploaded: Path) -> None:
    config = json.loads((uploaded / "config.json").read_text())
    (uploaded / "config.json").write_text(json.dumps(config | {"rms_norm_eps": 0.5}))
    assert "differ from those that were added" in found(small, "wrong")[0]
    shutil.rmtree(uploaded)
    (finding,) = check(small)
    assert (finding.level, finding.text.startswith("There is no config.json")) == ("wrong", True)


def test_a_family_that_is_not_known(small: BaseModel, uploaded: Path) -> None:
    config = json.loads((uploaded / "config.json").read_text())
    (uploaded / "config.json").write_text(json.dumps(config | {"model_type": "mystery"}))
    assert "Its family is not known here" in found(small, "note")[0]


@pytest.mark.parametrize("licence", ["apache-2.0", "Apache 2.0"])
def test_a_licence_may_be_written_in_several_ways(small: BaseModel, licence: str) -> None:
    change(small, licence=licence)
    assert found(small, "wrong") == []


def test_another_licence_than_the_files_state_is_wrong(small: BaseModel, uploaded: Path) -> None:
    change(small, licence="MIT")
    assert found(small, "wrong") == ["It is offered under “MIT”, but its files say “Apache-2.0”. Check which is right."]
    change(small, licence="")
    (uploaded / "LICENSE").unlink()
    notes = " ".join(found(small, "note"))
    assert "No licence is stated." in notes
    assert "No licence text lies beside its files." in notes


def test_a_template_with_everything(small: BaseModel, uploaded: Path) -> None:
    template = (
        "{{ tools }}{% for m in messages %}{{ m.tool_calls }}{{ m.reasoning_content }}{{ m.content }}{% endfor %}"
    )
    (uploaded / "chat_template.jinja").write_text(template)
    assert "Its chat template has tool calls and reasoning." in found(small, "ok")
    (uploaded / "chat_template.jinja").write_text("{% for %}")
    assert any("can’t be read here" in text for text in found(small, "note"))


def test_an_instance_with_too_little_memory(tmp_path: Path, small: BaseModel, uploaded: Path) -> None:
    config = json.loads((uploaded / "config.json").read_text())
    large = {"hidden_size": 8192, "intermediate_size": 28672, "num_hidden_layers": 80, "num_attention_heads": 64}
    (uploaded / "config.json").write_text(json.dumps(config | large | {"num_key_value_heads": 8}))
    change(small, training_instance="ml.g6.xlarge", serving_instance="ml.g6e.xlarge")
    training, serving = found(small, "wrong")[1:]
    assert training == "Training needs more memory than one GPU of ml.g6.xlarge has. ml.p5.4xlarge has enough."
    assert serving == "Serving needs more memory than one GPU of ml.g6e.xlarge has. It takes more than one GPU."
    change(small, training_instance="ml.unknown.large", serving_instance="")
    assert len(found(small, "wrong")) == 1, "of an instance that is not known nothing is said"


def test_memory_without_any_to_spare_is_too_little(small: BaseModel, monkeypatch: pytest.MonkeyPatch) -> None:
    needs = needs_of(small)
    assert needs is not None
    monkeypatch.setattr("adapters.offers.needs.gpu_bytes", lambda _: needs.training + 1)
    change(small, training_instance="ml.g6.xlarge")
    assert any(text.startswith("Training needs more memory") for text in found(small, "wrong"))


def test_a_copy_in_s3_is_compared_by_name_and_size(small: BaseModel, uploaded: Path, bucket: str) -> None:
    client = boto3.client("s3")
    change(small, sagemaker_uri=f"s3://{bucket}/small/")
    (text,) = found(small, "wrong")
    assert text.startswith("Its copy in S3 lacks LICENSE, chat_template.jinja, config.json and 4 more")
    for path in uploaded.iterdir():
        if path.name != "base.json":
            client.upload_file(str(path), bucket, f"small/{path.name}")
    assert found(small, "wrong") == []
    assert any("same files with the same sizes" in text for text in found(small, "ok"))
    client.put_object(Bucket=bucket, Key="small/config.json", Body=b"{}")
    assert found(small, "wrong")[0].startswith("Its copy in S3 lacks config.json, or has it in another size.")
    change(small, sagemaker_uri="s3://nowhere/small/")
    assert found(small, "wrong") == [
        "S3 did not list s3://nowhere/small/. Check its name, and whether the worker’s role may list it."
    ]


def test_the_command_says_all_that_is_wrong_and_keeps_it(small: BaseModel) -> None:
    change(small, licence="MIT")
    with pytest.raises(CommandError, match="offered under “MIT”"):
        call_command("base_model", "check", "small")
    small.refresh_from_db()
    assert [one["level"] for one in small.findings] == ["ok", "note", "wrong"]
