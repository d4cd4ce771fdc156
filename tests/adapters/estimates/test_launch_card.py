"""Before a launch the page tells what the training reads and takes, and warns of what speaks against it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from adapters.estimates import launch
from adapters.estimates.launch import Launch, describe_launch
from adapters.estimates.lengths import read_lengths
from adapters.estimates.machines import Machine, training_machine
from adapters.models import BaseModel
from adapters.recipes.catalogue import RECIPES
from corpora.models import DatasetVersion
from lorakit.capacity.machines import GIB

LENGTHS: dict[str, Any] = {
    "tokens": {
        "mean": 60.0,
        "minimum": 10,
        "p50": 50,
        "p90": 90,
        "p99": 99,
        "maximum": 119,
        "bins": [{"low": 0, "high": 100, "rows": 90}, {"low": 100, "high": 120, "rows": 10}],
    },
    "sampled": 100,
    "context": "tiny-llama",
}
Make = Callable[..., DatasetVersion]


def described(version: DatasetVersion, base_model: BaseModel, **changes: Any) -> Launch:
    numbers = RECIPES["style"].for_base(base_model).hyperparameters
    return describe_launch(dataset_version=version, base_model=base_model, hyperparameters=replace(numbers, **changes))


@pytest.fixture
def version(in_tenant: Any, make_dataset: Make) -> DatasetVersion:
    return make_dataset(train=300, test=30, profile=LENGTHS)


def test_a_sound_launch_warns_of_nothing(version: DatasetVersion, base_model: BaseModel) -> None:
    found = described(version, base_model)
    assert found.warnings == ()
    assert (found.tokens, found.share_too_long, found.can_be_served) == (18_000, 0.0, True)
    assert "100 rows" in found.lengths.source
    assert found.machine.gpu_bytes is None
    assert found.fits is None
    # No row is longer than the longest that was counted, so memory is not reckoned for 512 tokens.
    assert found.longest == 119
    assert described(version, base_model, max_length=99).longest == 99


@pytest.mark.parametrize(("limit", "share"), [(119, 0.0), (99, 0.1), (109, 0.05), (49, 0.55)])
def test_the_share_of_rows_too_long_comes_from_the_sample(version: DatasetVersion, limit: int, share: float) -> None:
    assert read_lengths(version).share_longer_than(limit) == pytest.approx(share, abs=0.006)


def test_rows_that_are_too_long_count_for_nothing(version: DatasetVersion, base_model: BaseModel) -> None:
    everything, half = described(version, base_model), described(version, base_model, max_length=59)
    assert everything.estimate.rows == 300
    assert half.estimate.rows == pytest.approx(160, abs=5)
    assert half.estimate.steps < 0.6 * everything.estimate.steps
    assert half.tokens == pytest.approx(160 * 30, rel=0.1)
    bins = [{"low": 50, "high": 100, "rows": 100}]
    version.profile = {**LENGTHS, "tokens": {**LENGTHS["tokens"], "bins": bins}}
    nothing = described(version, base_model, max_length=16)
    assert nothing.estimate.rows == 0
    assert any("no rows are left" in warning for warning in nothing.warnings)


def test_without_token_counts_the_length_is_a_guess_and_says_so(in_tenant: Any, make_dataset: Make) -> None:
    lengths = read_lengths(make_dataset())
    assert lengths.mean > 1
    assert lengths.share_longer_than(10) is None
    assert "estimated" in lengths.source


@pytest.mark.parametrize(
    ("rows", "changes", "words"),
    [
        ({"train": 20, "test": 2}, {}, "20 rows"),
        ({"train": 300, "test": 0}, {}, "held out"),
        ({"train": 300, "test": 30}, {"max_length": 99}, "more than 99 tokens"),
        ({"train": 300, "test": 30}, {"rank": 65}, "up to rank 64"),
    ],
)
def test_each_doubt_is_one_warning(
    in_tenant: Any, make_dataset: Make, base_model: BaseModel, rows: Any, changes: Any, words: str
) -> None:
    (warning,) = described(make_dataset(profile=LENGTHS, **rows), base_model, **changes).warnings
    assert words in warning


def test_too_little_gpu_memory_is_told_with_both_sizes(
    version: DatasetVersion, base_model: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "training_machine", lambda _: Machine(title="ml.small", gpu_bytes=GIB))
    found = described(version, base_model)
    assert found.fits is False
    assert "ml.small has 1.0" in found.warnings[0]
    monkeypatch.setattr(launch, "training_machine", lambda _: Machine(title="ml.large", gpu_bytes=24 * GIB))
    assert described(version, base_model).fits is True


def test_the_machine_is_the_backends_or_the_base_models(monkeypatch: pytest.MonkeyPatch) -> None:
    base_model = BaseModel()
    assert training_machine(base_model).title == "this machine’s CPU"
    monkeypatch.setitem(settings.COMPUTE["default"]["OPTIONS"], "INSTANCE_TYPE", "ml.g5.2xlarge")
    assert training_machine(base_model) == Machine(title="ml.g5.2xlarge", gpu_bytes=24 * GIB)
    base_model.training_instance = "ml.g6e.xlarge"
    assert training_machine(base_model) == Machine(title="ml.g6e.xlarge", gpu_bytes=48 * GIB)


def test_the_page_shows_all_of_it(as_alice: Client, version: DatasetVersion, base_model: BaseModel) -> None:
    form = {"dataset_version": str(version.id), "adapter": "boxes", "recipe": "style", "max_length": "99"}
    page = as_alice.get(reverse("adapters:estimate"), form).content.decode()
    for words in (
        "13,365",
        "10.0%",
        "Ready, 1 warning",
        "1 setting differs",
        "Runs on this machine’s CPU",
        "16 (endpoint limit: 64)",
    ):
        assert words in page, words
    assert str(settings.LOCAL_PRICE_SOURCE) in page


def test_layers_and_strength_are_chosen_in_words(
    as_alice: Client, version: DatasetVersion, base_model: BaseModel
) -> None:
    form = {"dataset_version": str(version.id), "adapter": "boxes", "recipe": "style"}
    chosen = form | {"layers": "attention", "strength": "aggressive"}
    page = as_alice.get(reverse("adapters:estimate"), chosen).content.decode()
    assert "alpha 64 instead of 32" in page
    assert "layers q_proj, k_proj, v_proj, o_proj instead of all linear layers" in page
    both = as_alice.get(reverse("adapters:estimate"), form | {"alpha": "8", "strength": "careful"}).content.decode()
    assert "not both" in both
