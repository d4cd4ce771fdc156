"""The form of a new training: what it offers, what it estimates, what it says of a bad value."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from adapters.models import BaseModel, TrainingRun
from adapters.recipes.measured import SMOLLM2
from adapters.training import forms
from corpora.models import DatasetVersion, VersionState
from tenants.models import Tenant, User
from tenants.scope import tenant_scope

URL = reverse("adapters:train")
ESTIMATE = reverse("adapters:estimate")


@pytest.fixture
def form(dataset_version: DatasetVersion, base_model: BaseModel) -> dict[str, str]:
    return {"dataset_version": str(dataset_version.id), "adapter": "boxes", "recipe": "structured"}


def test_a_filled_form_starts_a_training(as_bob: Client, form: dict[str, str]) -> None:
    location = as_bob.post(URL, form | {"rank": "8"})["Location"]
    run = TrainingRun.objects.select_related("adapter", "created_by").get()
    assert location == reverse("adapters:run", args=[run.id])
    assert (run.adapter.name, run.hyperparameters["rank"], str(run.created_by)) == ("boxes", 8, "Bob")


def test_the_form_offers_which_answers_are_learnt(as_bob: Client, form: dict[str, str]) -> None:
    page = as_bob.get(URL).content.decode()
    assert '<input type="radio" name="learn" value="every_answer"' in page
    assert "checked" in page.split('name="learn" value="every_answer"')[1].split(">")[0]
    plan = as_bob.get(ESTIMATE, form | {"learn": "last_answer"}).content.decode()
    assert "learns only the last answer instead of every answer" in plan
    as_bob.post(URL, form | {"learn": "last_answer"})
    run = TrainingRun.objects.get()
    assert run.hyperparameters["learn"] == "last_answer"
    assert "Only the last answer" in as_bob.get(reverse("adapters:run", args=[run.id])).content.decode()
    clone = as_bob.get(URL, {"clone": str(run.id)}).content.decode()
    assert "checked" in clone.split('name="learn" value="last_answer"')[1].split(">")[0]


def test_a_synthetic_base_names_one_of_real_language_if_there_is_any(as_alice: Client, form: dict[str, str]) -> None:
    alone = as_alice.get(ESTIMATE, form).content.decode()
    assert "Ask your site’s operator to add a real base model" in alone
    BaseModel.objects.create(name="english", title="English 1B", location="/models/english", context_length=2048)
    tiny = BaseModel.objects.get(is_synthetic=True)
    chosen = as_alice.get(ESTIMATE, form | {"base_model": str(tiny.id)}).content.decode()
    assert "Train a new adapter on English 1B instead" in chosen
    assert "synthetic-base" not in as_alice.get(ESTIMATE, form).content.decode()


def test_a_new_adapter_gets_the_real_base_that_was_added_first(as_alice: Client, form: dict[str, str]) -> None:
    for name in ("english", "another"):
        BaseModel.objects.create(name=name, title=f"{name.title()} 1B", location="/models", context_length=2048)
    assert ">Automatic: English 1B for a new adapter</option>" in as_alice.get(URL).content.decode()
    as_alice.post(URL, form | {"adapter": "fresh"})
    assert TrainingRun.objects.get().adapter.base_model.name == "english"


def test_an_adapter_keeps_its_synthetic_base(as_alice: Client, form: dict[str, str]) -> None:
    as_alice.post(URL, form)
    BaseModel.objects.create(name="english", title="English 1B", location="/models/english", context_length=2048)
    assert "synthetic-base" in as_alice.get(ESTIMATE, form).content.decode()
    as_alice.post(URL, form)
    assert [run.adapter.base_model.name for run in TrainingRun.objects.all()] == ["tiny-llama", "tiny-llama"]


@pytest.fixture
def labelled(in_tenant: Tenant, make_dataset: Callable[..., DatasetVersion]) -> DatasetVersion:
    answers = {"rows": 30, "distinct": 5, "longest": 10, "json": 0, "same_form": 0}
    return make_dataset(name="Requests", profile={"answers": answers})


def is_chosen(page: str, recipe: str) -> bool:
    return "checked" in page.split(f'name="recipe" value="{recipe}"')[1].split(">")[0]


def test_the_data_suggest_the_recipe(as_alice: Client, form: dict[str, str], labelled: DatasetVersion) -> None:
    page = as_alice.get(URL, {"dataset": str(labelled.id)}).content.decode()
    assert is_chosen(page, "classification")
    assert "Your answers are one of 5 labels." in page
    assert 'name="suggested" value="classification"' in page
    assert "Settings for classification on Tiny Llama" in page
    plain = as_alice.get(URL).content.decode()
    assert is_chosen(plain, "style")
    assert 'data-testid="suggestion"' not in plain


def test_a_recipe_that_nobody_chose_follows_the_dataset(
    as_alice: Client, form: dict[str, str], labelled: DatasetVersion
) -> None:
    sent = form | {"recipe": "style", "suggested": "style", "dataset_version": str(labelled.id)}
    page = as_alice.get(ESTIMATE, sent).content.decode()
    assert is_chosen(page, "classification")
    assert '<fieldset id="recipes" hx-swap-oob="true">' in page
    assert "Settings for classification" in page
    back = as_alice.get(ESTIMATE, form | {"recipe": "classification", "suggested": "classification"}).content.decode()
    assert is_chosen(back, "style")


def test_a_persons_own_recipe_stays(as_alice: Client, form: dict[str, str], labelled: DatasetVersion) -> None:
    sent = form | {"recipe": "dialogue", "suggested": "style", "dataset_version": str(labelled.id)}
    page = as_alice.get(ESTIMATE, sent).content.decode()
    assert 'id="recipes"' not in page
    assert "Settings for nuance and dialogue" in page
    assert "Suggested: <strong>Classification</strong>" in page
    as_alice.post(URL, sent)
    assert TrainingRun.objects.get().recipe == "dialogue"
    clone = as_alice.get(URL, {"clone": str(TrainingRun.objects.get().id)}).content.decode()
    assert is_chosen(clone, "dialogue")


def test_the_form_tells_what_was_measured(as_alice: Client, form: dict[str, str]) -> None:
    measured = {"architecture": SMOLLM2.architecture, "parameters": SMOLLM2.parameters, "context_length": 8192}
    base = BaseModel.objects.create(name="small", title="Small", **measured)
    page = as_alice.get(ESTIMATE, form).content.decode()
    assert "Measured on this base model" in page
    assert f"{SMOLLM2.figures['rank_8'].mean:.2f} with rank 8" in page
    for figure in SMOLLM2.figures.values():
        assert f">{figure.mean:.2f}" in page
    assert f"uncertain by {SMOLLM2.noise:.2f} either way" in page
    BaseModel.objects.filter(id=base.id).update(parameters=500_000_000)
    assert f"Measured on {SMOLLM2.title}, not on this base model" in as_alice.get(ESTIMATE, form).content.decode()
    BaseModel.objects.filter(id=base.id).update(parameters=8_000_000_000)
    assert 'data-testid="measured"' not in as_alice.get(ESTIMATE, form).content.decode()


def named(page: str) -> str:
    """What the field of the adapter's name holds in an answer that fills it in."""
    field = page.split('<div id="adapter-name" hx-swap-oob="true">')[1].split("</div>")[0]
    return field.split('value="')[1].split('"')[0] if "value=" in field else ""


def test_a_dataset_names_the_adapter(as_alice: Client, form: dict[str, str], labelled: DatasetVersion) -> None:
    assert 'name="proposed_name" value=""' in as_alice.get(URL).content.decode()
    page = as_alice.get(ESTIMATE, form | {"adapter": "", "proposed_name": ""}).content.decode()
    assert named(page) == "boxes"
    assert 'name="proposed_name" value="boxes" hx-swap-oob="true"' in page
    assert "a new adapter, <strong>boxes</strong>" in page
    other = form | {"adapter": "boxes", "proposed_name": "boxes", "dataset_version": str(labelled.id)}
    assert named(as_alice.get(ESTIMATE, other).content.decode()) == "requests"


@pytest.mark.parametrize(
    ("adapter", "proposed"),
    [("mine", ""), ("mine", "requests"), ("", "boxes"), ("boxes", "boxes")],
    ids=["own", "own instead of another", "cleared", "the same"],
)
def test_a_persons_own_name_stays(as_alice: Client, form: dict[str, str], adapter: str, proposed: str) -> None:
    page = as_alice.get(ESTIMATE, form | {"adapter": adapter, "proposed_name": proposed}).content.decode()
    assert 'id="adapter-name"' not in page
    assert 'name="proposed_name" value="boxes"' in page
    assert ("No adapter name yet" in page) == (not adapter)


def test_a_name_stays_while_no_dataset_is_chosen(as_alice: Client, form: dict[str, str]) -> None:
    sent = {"adapter": "boxes", "proposed_name": "boxes", "recipe": "style", "dataset_version": ""}
    page = as_alice.get(ESTIMATE, sent).content.decode()
    assert 'id="adapter-name"' not in page
    assert 'name="proposed_name" value="boxes"' in page


@pytest.mark.parametrize(
    ("dataset", "name"),
    [("My_data 2", "my-data-2"), ("判例", ""), ("tiny llama", ""), ("x" * 59 + " y", "x" * 59), ("-", "")],
)
def test_a_proposed_name_is_one_that_an_adapter_can_have(
    as_alice: Client, form: dict[str, str], make_dataset: Callable[..., DatasetVersion], dataset: str, name: str
) -> None:
    version = make_dataset(name=dataset)
    page = as_alice.get(URL, {"dataset": str(version.id)}).content.decode()
    assert f'name="proposed_name" value="{name}"' in page


def test_the_only_dataset_is_chosen(as_alice: Client, form: dict[str, str]) -> None:
    page = as_alice.get(URL).content.decode()
    assert f'<option value="{form["dataset_version"]}" selected>' in page
    assert "a new adapter, <strong>boxes</strong>" in page
    as_alice.post(URL, form)
    assert "the next version of <strong>boxes</strong>" in as_alice.get(URL).content.decode()


def test_an_operator_is_led_to_the_page_that_adds_a_base(as_alice: Client, form: dict[str, str], alice: User) -> None:
    address = reverse("base-models:new")
    assert address not in as_alice.get(ESTIMATE, form).content.decode()
    User.objects.filter(id=alice.id).update(is_staff=True)
    page = as_alice.get(ESTIMATE, form).content.decode()
    assert address in page
    assert "Ask your site’s operator" not in page


def test_it_begins_with_what_the_link_names(as_alice: Client, form: dict[str, str]) -> None:
    page = as_alice.get(URL, {"dataset": form["dataset_version"]}).content.decode()
    assert f'<option value="{form["dataset_version"]}" selected>' in page
    assert 'value="boxes"' in page
    assert "9</dd>" in page
    assert 'data-testid="synthetic-base"' in page


@pytest.mark.parametrize("query", ["dataset=nonsense", "dataset=", "dataset=0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11"])
def test_a_link_to_nothing_fills_in_nothing(as_alice: Client, form: dict[str, str], query: str) -> None:
    answer = as_alice.get(f"{URL}?{query}")
    assert answer.status_code == 200
    assert " selected" not in answer.content.decode().split("</select>")[0].replace('value="" selected', "")


def test_it_offers_the_newest_versions_and_the_chosen_one(
    as_alice: Client, form: dict[str, str], dataset_version: DatasetVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "OFFERED", 2)
    with tenant_scope(dataset_version.tenant_id):
        newer = [
            DatasetVersion.objects.create(
                dataset=dataset_version.dataset, number=number, state=VersionState.READY, upload_bytes=1
            )
            for number in (2, 3, 4)
        ]
    offered = as_alice.get(URL).content.decode()
    chosen = as_alice.get(URL, {"dataset": form["dataset_version"]}).content.decode()
    assert [str(version.id) in offered for version in (dataset_version, *newer)] == [False, False, True, True]
    assert [str(version.id) in chosen for version in (dataset_version, *newer)] == [True, False, True, True]
    assert f'<option value="{form["dataset_version"]}" selected>' in chosen


@pytest.mark.usefixtures("base_model", "in_tenant")
def test_without_a_dataset_it_says_where_to_go(as_alice: Client) -> None:
    assert reverse("corpora:upload") in as_alice.get(URL).content.decode()


@pytest.mark.usefixtures("in_tenant")
def test_without_a_base_model_it_names_the_operator(as_alice: Client) -> None:
    assert "operator" in as_alice.get(URL).content.decode()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("rank", "257", "from 1 to 256"),
        ("rank", "eight", "whole number"),
        ("learn", "the best", "valid choice"),
        ("learning_rate", "nan", "number"),
        ("adapter", "Legal Summaries", "“legal-summaries”"),
        ("adapter", "tiny-llama", "name of a base model"),
        ("recipe", "magic", "magic"),
        ("dataset_version", "0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11", "valid choice"),
    ],
)
def test_a_bad_value_is_explained_at_its_field(
    as_alice: Client, form: dict[str, str], field: str, value: str, message: str
) -> None:
    answer = as_alice.post(URL, form | {field: value})
    assert message in " ".join(answer.context["form"].errors[field])
    assert not TrainingRun.objects.exists()


def test_a_rejected_dataset_names_the_next_step(
    as_alice: Client, form: dict[str, str], make_dataset: Callable[..., DatasetVersion]
) -> None:
    rejected = make_dataset(name="Broken", state=VersionState.REJECTED)
    page = as_alice.post(URL, form | {"dataset_version": str(rejected.id)}).content.decode()
    assert "upload the file again" in page
    assert not TrainingRun.objects.exists()
    page = as_alice.get(URL, {"dataset": str(rejected.id)}).content.decode()
    assert "upload the file again" in page
    assert f'value="{rejected.id}"' not in page


def test_the_estimate_follows_the_form(as_alice: Client, form: dict[str, str]) -> None:
    page = as_alice.get(ESTIMATE, form | {"epochs": "6", "rank": "4"}).content.decode()
    assert "18</dd>" in page
    assert "rank 4 instead of 16" in page
    assert "alpha 8 instead of 32" in page
    assert "structured output on Tiny Llama" in page
    assert "Assumed" in page


def test_the_estimate_explains_what_is_wrong(as_alice: Client, form: dict[str, str]) -> None:
    assert "from 1 to 256" in as_alice.get(ESTIMATE, form | {"rank": "257"}).content.decode()
    assert "Choose a dataset" in as_alice.get(ESTIMATE, {"recipe": "style"}).content.decode()


def test_charlie_neither_sees_nor_trains_on_it(as_charlie: Client, other_tenant: Tenant, form: dict[str, str]) -> None:
    assert "Boxes" not in as_charlie.get(URL, {"dataset": form["dataset_version"]}).content.decode()
    assert "24</dd>" not in as_charlie.get(ESTIMATE, form).content.decode()
    answer = as_charlie.post(URL, form)
    assert "dataset_version" in answer.context["form"].errors
    with tenant_scope(other_tenant.id):
        assert not TrainingRun.objects.exists()


def test_a_reviewer_may_not_train(as_rita: Client, form: dict[str, str]) -> None:
    assert as_rita.post(URL, form).status_code == 403
    assert as_rita.get(ESTIMATE, form).status_code == 403
