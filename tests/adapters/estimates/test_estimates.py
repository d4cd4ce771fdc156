"""What a training will take is told with what the figure rests on."""

from collections.abc import Callable

import pytest
from django.conf import settings

from adapters.estimates.time_and_cost import estimate_training
from adapters.models import AdapterVersion, BaseModel
from adapters.recipes.catalogue import RECIPES
from corpora.models import DatasetVersion
from jobs.models import Job
from tenants.models import Tenant
from tenants.scope import tenant_scope

Make = Callable[..., AdapterVersion]
LENGTHS = {
    "tokens": {"mean": 60.0, "maximum": 99, "bins": [{"low": 0, "high": 100, "rows": 24}]},
    "sampled": 24,
    "context": "tiny-llama",
}


def test_without_a_run_the_pace_is_an_assumption(base_model: BaseModel, dataset_version: DatasetVersion) -> None:
    numbers = RECIPES["style"].for_base(base_model).hyperparameters
    estimate = estimate_training(dataset_version=dataset_version, base_model=base_model, hyperparameters=numbers)
    assert (estimate.rows, estimate.steps) == (24, 9)
    assert estimate.source.startswith("Assumed")
    assert estimate.usd == pytest.approx(estimate.seconds / 3600 * settings.LOCAL_PRICE_USD_PER_HOUR)
    assert estimate.price_source == settings.LOCAL_PRICE_SOURCE


def test_a_large_base_takes_longer_by_its_size(
    real_base_model: BaseModel, dataset_version: DatasetVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = RECIPES["style"].for_base(real_base_model).hyperparameters
    on_cpu = estimate_training(dataset_version=dataset_version, base_model=real_base_model, hyperparameters=numbers)
    assert "2.1 tokens per second on one CPU core" in on_cpu.source
    monkeypatch.setitem(settings.COMPUTE["default"]["OPTIONS"], "INSTANCE_TYPE", "ml.g5.xlarge")
    on_gpu = estimate_training(dataset_version=dataset_version, base_model=real_base_model, hyperparameters=numbers)
    # 5e13 operations a second over six for each of 8e9 parameters.
    assert "1,042 tokens per second on one GPU" in on_gpu.source
    assert on_cpu.seconds > on_gpu.seconds


def test_a_run_on_the_same_base_sets_the_pace(
    base_model: BaseModel, dataset_version: DatasetVersion, make_version: Make
) -> None:
    # 900 tokens in 4.5 s are 200 a second; 40 billed seconds leave 35.5 s for the rest.
    make_version(dataset_version, tokens=900.0)
    dataset_version.profile = LENGTHS
    numbers = RECIPES["style"].for_base(base_model).hyperparameters
    estimate = estimate_training(dataset_version=dataset_version, base_model=base_model, hyperparameters=numbers)
    # 24 rows of 60 tokens, three times over.
    assert estimate.seconds == pytest.approx(35.5 + 24 * 60 * 3 / 200)
    assert "boxes v1: 200 tokens per second" in estimate.source


def test_a_training_that_was_taken_up_again_sets_no_pace(
    base_model: BaseModel, dataset_version: DatasetVersion, make_version: Make
) -> None:
    version = make_version(dataset_version, tokens=900.0)
    Job.objects.filter(id=version.run.job_id).update(attempt=2)
    numbers = RECIPES["style"].for_base(base_model).hyperparameters
    estimate = estimate_training(dataset_version=dataset_version, base_model=base_model, hyperparameters=numbers)
    assert estimate.source.startswith("Assumed")


def test_a_run_of_another_tenant_tells_nothing(
    base_model: BaseModel,
    other_tenant: Tenant,
    dataset_version: DatasetVersion,
    make_dataset: Callable[..., DatasetVersion],
    make_version: Make,
) -> None:
    with tenant_scope(other_tenant.id):
        make_version(make_dataset(owner=other_tenant), tokens=900.0)
    numbers = RECIPES["style"].for_base(base_model).hyperparameters
    estimate = estimate_training(dataset_version=dataset_version, base_model=base_model, hyperparameters=numbers)
    assert estimate.source.startswith("Assumed")
