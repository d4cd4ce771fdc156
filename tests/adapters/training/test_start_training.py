"""A training is queued whole or not at all, and a refusal says what to do next."""

from collections.abc import Callable
from typing import Any

import pytest

from adapters.models import Adapter, BaseModel, TrainingRun
from adapters.training.previews import preview_training
from adapters.training.services import start_training
from corpora.models import DatasetVersion, VersionState
from jobs.backends import compute
from jobs.models import Job
from rest.errors import Conflict, PortalError
from tenants.models import Tenant


@pytest.fixture
def start(in_tenant: Tenant, base_model: BaseModel, dataset_version: DatasetVersion) -> Callable[..., TrainingRun]:
    def call(**changes: Any) -> TrainingRun:
        values: dict[str, Any] = {
            "tenant": in_tenant,
            "adapter_name": "boxes",
            "dataset_version": dataset_version,
            "base_model": None,
            "recipe": "structured",
            "overrides": {"rank": 8},
        }
        return start_training(**(values | changes))

    return call


def nothing_was_written() -> bool:
    return not (Adapter.objects.exists() or TrainingRun.objects.exists() or Job.objects.exists())


def test_it_queues_a_job_with_everything_frozen(
    start: Callable[..., TrainingRun], base_model: BaseModel, dataset_version: DatasetVersion
) -> None:
    run = start()
    job = Job.objects.get(id=run.job_id)
    assert (job.kind, job.title) == ("training", "Train boxes on Boxes v1")
    assert job.spec["dataset_version"] == str(dataset_version.id)
    assert job.spec["base_model_name"] == base_model.name
    assert job.spec["hyperparameters"]["rank"] == 8
    assert TrainingRun.objects.get().hyperparameters == job.spec["hyperparameters"]


def test_the_same_name_trains_the_same_adapter(start: Callable[..., TrainingRun]) -> None:
    assert start().adapter == start().adapter
    assert Adapter.objects.count() == 1


@pytest.mark.parametrize(
    ("state", "next_step"),
    [(VersionState.CHECKING, "Wait"), (VersionState.REJECTED, "upload the file again")],
)
def test_a_dataset_that_is_not_ready_is_refused_with_the_next_step(
    start: Callable[..., TrainingRun],
    make_dataset: Callable[..., DatasetVersion],
    state: VersionState,
    next_step: str,
) -> None:
    with pytest.raises(Conflict, match=next_step) as caught:
        start(dataset_version=make_dataset(name="Broken", state=state))
    assert (caught.value.code, caught.value.field) == ("training:dataset_not_ready", "dataset_version")
    assert nothing_was_written()


@pytest.mark.parametrize("name", ["", "Legal Summaries", "-boxes", "boxes-", "a" * 61, "../etc", "näme", "a\n"])
def test_a_name_that_is_no_slug_is_refused(start: Callable[..., TrainingRun], name: str) -> None:
    with pytest.raises(PortalError) as caught:
        start(adapter_name=name)
    assert (caught.value.code, caught.value.field) == ("adapter:bad_name", "adapter")
    assert nothing_was_written()


def test_a_near_miss_gets_a_suggestion(start: Callable[..., TrainingRun]) -> None:
    with pytest.raises(PortalError, match="“legal-summaries”"):
        start(adapter_name="Legal Summaries")


def test_a_base_models_name_is_taken(start: Callable[..., TrainingRun], base_model: BaseModel) -> None:
    with pytest.raises(PortalError) as caught:
        start(adapter_name=base_model.name)
    assert caught.value.code == "adapter:reserved_name"


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"recipe": "magic"}, "recipe"), ({"overrides": {"rank": 257}}, "rank"), ({"overrides": {"x": 1}}, "x")],
)
def test_a_bad_value_leaves_nothing_behind(
    start: Callable[..., TrainingRun], changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(PortalError) as caught:
        start(**changes)
    assert caught.value.field == field
    assert nothing_was_written()


def test_a_base_that_trainings_cannot_read_is_refused(
    start: Callable[..., TrainingRun], real_base_model: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(compute["default"]), "reads_base_model", lambda self, place: place == "s3://models/own/")
    with pytest.raises(Conflict) as caught:
        start(base_model=real_base_model)
    assert (caught.value.code, caught.value.field) == ("training:base_model_not_in_s3", "base_model")
    assert nothing_was_written()
    with pytest.raises(Conflict):
        preview_training(
            adapter_name="", dataset_version=None, base_model=real_base_model, recipe="style", overrides={}
        )
    real_base_model.sagemaker_uri = "s3://models/own/"
    assert start(base_model=real_base_model).adapter.base_model == real_base_model


def test_an_adapter_keeps_its_base_model(
    start: Callable[..., TrainingRun], base_model: BaseModel, real_base_model: BaseModel
) -> None:
    start(base_model=base_model)
    assert start().adapter.base_model == base_model
    with pytest.raises(Conflict) as caught:
        start(base_model=real_base_model)
    assert (caught.value.code, caught.value.field) == ("training:other_base_model", "base_model")


def test_without_any_base_model_the_operator_is_named(start: Callable[..., TrainingRun], base_model: BaseModel) -> None:
    base_model.delete()
    with pytest.raises(Conflict, match="operator"):
        start()
