"""What a training will take is told with what the figure rests on."""

from collections.abc import Callable

import pytest
from django.conf import settings

from adapters.estimates import estimate_training
from adapters.models import AdapterVersion, BaseModel
from adapters.recipes import RECIPES
from corpora.models import DatasetVersion
from tenants.models import Tenant
from tenants.scope import tenant_scope

Make = Callable[..., AdapterVersion]


def test_without_a_run_the_pace_is_an_assumption(base_model: BaseModel, dataset_version: DatasetVersion) -> None:
    numbers = RECIPES["style"].for_base(base_model).hyperparameters
    estimate = estimate_training(dataset_version=dataset_version, base_model=base_model, hyperparameters=numbers)
    assert (estimate.rows, estimate.steps) == (24, 9)
    assert estimate.source.startswith("Assumed")
    assert estimate.usd == pytest.approx(estimate.seconds / 3600 * settings.LOCAL_PRICE_USD_PER_HOUR)
    assert estimate.price_source == settings.LOCAL_PRICE_SOURCE


def test_a_large_base_takes_longer_by_its_size(
    base_model: BaseModel, real_base_model: BaseModel, dataset_version: DatasetVersion
) -> None:
    numbers = RECIPES["style"].for_base(real_base_model).hyperparameters
    small = BaseModel(name="small", parameters=1_000_000_000)
    seconds = [
        estimate_training(dataset_version=dataset_version, base_model=base, hyperparameters=numbers).seconds
        for base in (small, real_base_model)
    ]
    assert seconds[1] > seconds[0]


def test_a_run_on_the_same_base_sets_the_pace(
    base_model: BaseModel, dataset_version: DatasetVersion, make_version: Make
) -> None:
    # 9 steps of 8 rows in 4.5 s are 16 rows a second; 40 billed seconds leave 35.5 s for the rest.
    make_version(dataset_version)
    numbers = RECIPES["style"].for_base(base_model).hyperparameters
    estimate = estimate_training(dataset_version=dataset_version, base_model=base_model, hyperparameters=numbers)
    assert estimate.seconds == pytest.approx(35.5 + 9 * 8 / 16)
    assert "boxes v1" in estimate.source


def test_a_run_of_another_tenant_tells_nothing(
    base_model: BaseModel,
    other_tenant: Tenant,
    dataset_version: DatasetVersion,
    make_dataset: Callable[..., DatasetVersion],
    make_version: Make,
) -> None:
    with tenant_scope(other_tenant.id):
        make_version(make_dataset(owner=other_tenant))
    numbers = RECIPES["style"].for_base(base_model).hyperparameters
    estimate = estimate_training(dataset_version=dataset_version, base_model=base_model, hyperparameters=numbers)
    assert estimate.source.startswith("Assumed")
