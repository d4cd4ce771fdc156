"""What the check of the data found is told before a training starts, and tools that a base cannot read are refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from adapters.models import Adapter, BaseModel, Sweep, TrainingRun
from adapters.sweeps.services import start_sweep
from adapters.training.services import start_training
from corpora.models import DatasetVersion
from rest.errors import Conflict
from tenants.models import Tenant
from tests.corpora.warned import EMAIL, LEAK, NEAR_LEAK, warned
from tests.lorakit.chat_templates import CHATML, TOOLS

FORM = reverse("adapters:train")
ESTIMATE = reverse("adapters:estimate")
SWEEP_ESTIMATE = reverse("adapters:sweep-estimate")
RUNS = "/api/v1/training-runs/"

Make = Callable[..., DatasetVersion]


def form(version: DatasetVersion, **more: str) -> dict[str, str]:
    return {"dataset_version": str(version.id), "adapter": "boxes", "recipe": "structured", **more}


@pytest.fixture
def doubtful(in_tenant: Tenant, make_dataset: Make, base_model: BaseModel) -> DatasetVersion:
    return make_dataset(test=18, profile=warned(not_learnt=(5, "")))


@pytest.fixture
def base(base_model: BaseModel, tmp_path: Path) -> BaseModel:
    """A base whose chat template reads no tools."""
    (tmp_path / "chat_template.jinja").write_text(CHATML)
    base_model.location = str(tmp_path)
    base_model.save()
    return base_model


@pytest.fixture
def with_tools(in_tenant: Tenant, make_dataset: Make) -> DatasetVersion:
    return make_dataset(profile=warned(uses_tools=(7, "")))


def test_the_form_names_the_findings_and_links_to_them(as_alice: Client, doubtful: DatasetVersion) -> None:
    for page in (as_alice.get(ESTIMATE, form(doubtful)), as_alice.get(FORM, {"dataset": str(doubtful.id)})):
        text = page.content.decode()
        for words in (LEAK, NEAR_LEAK, EMAIL, "Nobody has decided to keep it yet.", "5 rows have answers of weight 0"):
            assert words in text, words
        assert f'href="{reverse("corpora:version", args=[doubtful.id])}?tab=quality"' in text
        # Three warnings about the data and one about few rows; the note is none.
        assert "Ready, 4 warnings" in text


def test_personal_data_that_was_kept_is_a_note(as_alice: Client, doubtful: DatasetVersion) -> None:
    as_alice.post(reverse("corpora:keep-personal-data", args=[doubtful.id]))
    page = as_alice.get(ESTIMATE, form(doubtful)).content.decode()
    assert f"{EMAIL} Kept by Alice on " in page
    assert "Ready, 3 warnings" in page


def test_without_findings_nothing_is_said(as_alice: Client, base_model: BaseModel, dataset_version: Any) -> None:
    page = as_alice.get(ESTIMATE, form(dataset_version)).content.decode()
    assert "Data findings" not in page
    assert "Ready, 1 warning<" in page


def test_a_sweep_names_them_too(as_alice: Client, doubtful: DatasetVersion) -> None:
    page = as_alice.get(SWEEP_ESTIMATE, form(doubtful, ranks="8, 16")).content.decode()
    assert NEAR_LEAK in page


def test_rest_tells_them_with_the_estimate(api: APIClient, doubtful: DatasetVersion) -> None:
    found = api.post(f"{RUNS}estimate/", form(doubtful)).json()["data_findings"]
    assert found[1] == {"code": "dataset:near_leak", "count": 16, "text": NEAR_LEAK, "severity": "warning"}
    assert [finding["code"] for finding in found] == [
        "dataset:leak", "dataset:near_leak", "dataset:personal_email", "dataset:not_learnt",
    ]  # fmt: skip


def test_tools_that_the_base_cannot_read_are_refused_on_the_form(
    as_alice: Client, base: BaseModel, with_tools: DatasetVersion
) -> None:
    page = as_alice.get(ESTIMATE, form(with_tools)).content.decode()
    assert "Can’t start yet." in page
    assert "uses tools, and the chat template of Tiny Llama does not read them." in page
    assert "Choose a base model made for tools, or a dataset without them." in page
    assert "does not read them" in as_alice.post(FORM, form(with_tools)).content.decode()
    assert "does not read them" in as_alice.get(SWEEP_ESTIMATE, form(with_tools, ranks="8, 16")).content.decode()
    assert not TrainingRun.objects.exists()


def test_and_over_rest_with_the_trainers_code(api: APIClient, base: BaseModel, with_tools: DatasetVersion) -> None:
    for url in (RUNS, f"{RUNS}estimate/"):
        answer = api.post(url, form(with_tools))
        assert (answer.status_code, answer.json()["code"]) == (409, "training:template_without_tools")
        assert answer.json()["field"] == "base_model"
    assert TrainingRun.objects.count() == Adapter.objects.count() == 0


def test_reasoning_that_was_kept_and_cannot_be_read_is_refused(
    api: APIClient, base: BaseModel, make_dataset: Make, in_tenant: Tenant
) -> None:
    kept = make_dataset(profile=warned(reasoning=(3, "reasoning")))
    answer = api.post(RUNS, form(kept))
    assert (answer.status_code, answer.json()["code"]) == (409, "training:template_without_reasoning")
    assert "drop reasoning" in answer.json()["title"]
    dropped = make_dataset(name="Dropped", profile=warned(reasoning=(3, "")))
    assert api.post(RUNS, form(dropped)).status_code == 201


def test_a_sweep_is_refused_as_a_whole(base: BaseModel, with_tools: DatasetVersion) -> None:
    wanted: dict[str, Any] = {"recipe": "style", "overrides": {}, "grid": {"rank": (8, 16)}}
    with pytest.raises(Conflict) as caught:
        start_sweep(
            tenant=with_tools.tenant, adapter_name="boxes", dataset_version=with_tools, base_model=None, **wanted
        )
    assert caught.value.code == "training:template_without_tools"
    assert Sweep.objects.count() == Adapter.objects.count() == 0


@pytest.mark.parametrize("template", [TOOLS, CHATML + "{{ message.tool_calls }}", None])
def test_a_base_that_reads_some_of_it_or_lies_elsewhere_is_left_to_the_trainer(
    base: BaseModel, with_tools: DatasetVersion, template: str | None
) -> None:
    path = Path(base.location) / "chat_template.jinja"
    path.write_text(template) if template else path.unlink()
    run = start_training(
        tenant=with_tools.tenant,
        adapter_name="boxes",
        dataset_version=with_tools,
        base_model=None,
        recipe="style",
        overrides={},
    )
    assert run.job.state == "queued"
