"""Training runs, sweeps and cards over REST."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from adapters.models import AdapterVersion, BaseModel, Sweep, TrainingRun
from corpora.models import DatasetVersion
from jobs.models import Job
from jobs.states import State
from tenants.models import Tenant
from tests.adapters.reported import end, loss, report

RUNS = "/api/v1/training-runs/"
SWEEPS = "/api/v1/sweeps/"


@pytest.fixture
def body(dataset_version: DatasetVersion, base_model: BaseModel) -> dict[str, Any]:
    return {"adapter": "boxes", "dataset_version": str(dataset_version.id), "recipe": "style"}


@pytest.fixture
def run(api: APIClient, body: dict[str, Any]) -> TrainingRun:
    chosen = {"overrides": {"rank": 8, "epochs": 2}, "layers": "attention"}
    return TrainingRun.objects.get(id=api.post(RUNS, body | chosen).json()["id"])


def test_an_estimate_starts_nothing(api: APIClient, body: dict[str, Any]) -> None:
    answer = api.post(f"{RUNS}estimate/", body | {"overrides": {"rank": 8}, "strength": "careful"})
    assert answer.status_code == 200
    found = answer.json()
    assert (found["rows"], found["steps"], found["hyperparameters"]["alpha"]) == (24, 9, 8)
    assert [(d["name"], d["advised"], d["chosen"]) for d in found["differences"]] == [
        ("rank", "16", "8"), ("alpha", "32", "8"),
    ]  # fmt: skip
    # 2 sides x rank 8 of each of four blocks' seven layers, in 32 bits.
    assert found["adapter_bytes"] == 4 * 8 * 4 * (4 * (192 + 192) + 3 * (192 + 512))
    assert found["gpu_memory"]["total"] > found["gpu_memory"]["base"] > 0
    assert (found["fits"], found["can_be_served"]) == (None, True)
    assert "24 rows" in found["warnings"][0]
    assert not TrainingRun.objects.exists()


def test_an_estimate_suggests_the_recipe_that_fits_the_data(
    api: APIClient, body: dict[str, Any], in_tenant: Tenant, make_dataset: Callable[..., DatasetVersion]
) -> None:
    assert api.post(f"{RUNS}estimate/", body).json()["suggested_recipe"] is None
    answers = {"rows": 30, "distinct": 5, "longest": 10, "json": 0, "same_form": 0}
    labelled = make_dataset(name="Requests", profile={"answers": answers})
    for named in ({}, {"recipe": "style"}, {"recipe": "dialogue"}):
        sent = {"adapter": "boxes", "dataset_version": str(labelled.id), **named}
        found = api.post(f"{RUNS}estimate/", sent).json()
        suggested = {"key": "classification", "reason": "Your answers are one of 5 labels."}
        assert (found["recipe"], found["suggested_recipe"]) == (named.get("recipe", "style"), suggested)


def test_a_new_adapter_is_trained_on_a_real_base_if_there_is_one(
    api: APIClient, body: dict[str, Any], real_base_model: BaseModel
) -> None:
    BaseModel.objects.create(name="later", title="A later one", context_length=8192)
    assert api.post(f"{RUNS}estimate/", body).json()["base_model"] == real_base_model.name
    assert api.post(f"{RUNS}estimate/", body | {"base_model": "tiny-llama"}).json()["base_model"] == "tiny-llama"


@pytest.mark.parametrize(
    ("changes", "status", "code", "field"),
    [
        ({"overrides": {"rank": 257}}, 400, "training:bad_setting", "rank"),
        ({"overrides": {"rank": 0}}, 400, "training:bad_setting", "rank"),
        ({"overrides": {"rank": 10**400}}, 400, "training:bad_setting", "rank"),
        ({"overrides": {"rank": True}}, 400, "training:bad_setting", "rank"),
        ({"overrides": {"rank": "eight"}}, 400, "training:bad_setting", "rank"),
        ({"overrides": {"learning_rate": "nan"}}, 400, "training:bad_setting", "learning_rate"),
        ({"overrides": {"learning_rate": "-inf"}}, 400, "training:bad_setting", "learning_rate"),
        ({"overrides": {"dropout": 0.1}}, 400, "training:unknown_setting", "dropout"),
        ({"layers": "some"}, 400, "training:bad_setting", "layers"),
        ({"strength": "mad"}, 400, "training:bad_setting", "strength"),
        ({"learn": "the best"}, 400, "training:bad_setting", "learn"),
        ({"strength": "careful", "overrides": {"alpha": 8}}, 400, "training:bad_setting", "strength"),
        ({"adapter": ""}, 400, "portal:invalid", None),
        ({"adapter": "Bad Name!"}, 400, "adapter:bad_name", "adapter"),
        ({"clone_of": str(uuid4())}, 404, "portal:not_found", "clone_of"),
    ],
)
@pytest.mark.parametrize("address", [RUNS, f"{RUNS}estimate/"])
def test_estimating_and_starting_refuse_the_same(
    api: APIClient, body: dict[str, Any], address: str, changes: Any, status: int, code: str, field: str | None
) -> None:
    answer = api.post(address, body | changes)
    assert answer.status_code == status
    if field:
        assert (answer.json()["code"], answer.json()["field"]) == (code, field)
    assert not TrainingRun.objects.exists()


@pytest.mark.parametrize("missing", ["adapter", "dataset_version"])
def test_what_is_missing_without_a_clone_is_named(api: APIClient, body: dict[str, Any], missing: str) -> None:
    del body[missing]
    answer = api.post(RUNS, body)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (400, "training:missing", missing)


def test_a_clone_differs_where_it_says_so(api: APIClient, run: TrainingRun) -> None:
    answer = api.post(RUNS, {"clone_of": str(run.id), "overrides": {"rank": 4}, "strength": "aggressive"})
    assert answer.status_code == 201
    clone = TrainingRun.objects.get(id=answer.json()["id"])
    assert clone.adapter == run.adapter
    assert clone.hyperparameters == run.hyperparameters | {"rank": 4, "alpha": 16}
    same = TrainingRun.objects.get(id=api.post(RUNS, {"clone_of": str(run.id)}).json()["id"])
    assert same.hyperparameters == run.hyperparameters
    steps = api.post(RUNS, {"clone_of": str(run.id), "overrides": {"max_steps": 7}}).json()
    epochs = api.post(RUNS, {"clone_of": steps["id"], "overrides": {"epochs": 2}}).json()
    assert (epochs["hyperparameters"]["epochs"], epochs["hyperparameters"]["max_steps"]) == (2, None)
    last = api.post(RUNS, {"clone_of": str(run.id), "learn": "last_answer"}).json()
    again = api.post(RUNS, {"clone_of": last["id"]}).json()
    assert [made["hyperparameters"]["learn"] for made in (last, again)] == ["last_answer", "last_answer"]
    other = api.post(RUNS, {"clone_of": str(run.id), "adapter": "crates"}).json()
    assert other["adapter_name"] == "crates"


def test_a_run_is_stopped_and_resumed(api: APIClient, run: TrainingRun) -> None:
    end(run, State.RUNNING)
    assert api.post(f"{RUNS}{run.id}/resume/").json()["code"] == "training:not_resumable"
    assert api.post(f"{RUNS}{run.id}/stop/").json()["job"]["state"] == "stopping"
    end(run, State.STOPPED)
    assert api.post(f"{RUNS}{run.id}/resume/").json()["code"] == "training:no_checkpoint"
    report(run, ("checkpoint", {"step": 50}))
    answer = api.post(f"{RUNS}{run.id}/resume/")
    assert (answer.status_code, answer.json()["resumed_from"]) == (201, str(run.id))
    assert api.post(f"{RUNS}{run.id}/resume/").json()["code"] == "training:already_resumed"
    end(run, State.SUCCEEDED)
    assert api.post(f"{RUNS}{run.id}/stop/").json()["code"] == "job:already_ended"


def test_runs_are_compared(api: APIClient, body: dict[str, Any], run: TrainingRun) -> None:
    other = api.post(RUNS, body).json()["id"]
    report(run, loss(10, 2.0))
    found = api.post(f"{RUNS}compare/", {"runs": [str(run.id), other]}).json()
    assert [item["run"]["id"] for item in found["runs"]] == [str(run.id), other]
    assert found["runs"][0]["points"] == [{"step": 10, "total": 100, "fraction": 0.1, "loss": 2.0}]
    differing = {row["title"]: row["values"] for row in found["settings"] if row["differs"]}
    assert differing["Rank"] == ["8", "16"]
    assert set(differing) == {"Rank", "Alpha", "Layers", "Epochs"}


@pytest.mark.parametrize("count", [0, 1, 6])
def test_one_run_or_six_are_no_comparison(api: APIClient, count: int) -> None:
    answer = api.post(f"{RUNS}compare/", {"runs": [str(uuid4()) for _ in range(count)]})
    assert (answer.status_code, answer.json()["code"]) == (400, "training:compare_count")
    assert answer.json()["field"] == "runs"


def test_a_sweep_is_started_followed_and_stopped(api: APIClient, body: dict[str, Any]) -> None:
    answer = api.post(SWEEPS, body | {"grid": {"rank": [4, 8]}, "strength": "careful", "learn": "last_answer"})
    assert answer.status_code == 201
    sweep = answer.json()
    assert [row["run"]["hyperparameters"]["learn"] for row in sweep["runs"]] == ["last_answer"] * 2
    assert [row["run"]["hyperparameters"]["alpha"] for row in sweep["runs"]] == [4, 8]
    last = TrainingRun.objects.get(id=sweep["runs"][1]["run"]["id"])
    report(last, ("metric", {"step": 10, "eval_loss": 0.5}))
    end(last, State.SUCCEEDED)
    rows = api.get(f"{SWEEPS}{sweep['id']}/").json()["runs"]
    assert [row["is_best"] for row in rows] == [True, False]
    assert rows[0]["run"]["id"] == str(last.id)
    assert len(api.get(RUNS, {"sweep": sweep["id"]}).json()["results"]) == 2
    assert "runs" not in api.get(SWEEPS).json()["results"][0]
    rows = api.post(f"{SWEEPS}{sweep['id']}/stop/").json()["runs"]
    assert [row["run"]["job"]["state"] for row in rows] == ["succeeded", "stopped"]


@pytest.mark.parametrize(
    ("grid", "code"),
    [
        ({"rank": list(range(1, 14))}, "training:sweep_too_large"),
        ({"rank": [8]}, "training:sweep_too_small"),
        ({"batch_size": [1, 2]}, "training:unknown_setting"),
        ({"rank": [0, 8]}, "training:bad_setting"),
        ({"rank": [10**400, 8]}, "training:bad_setting"),
        ({"rank": ["many", 8]}, "training:bad_setting"),
        ({"learning_rate": ["nan", 0.001]}, "training:bad_setting"),
    ],
)
def test_a_grid_that_cannot_be_is_a_problem(api: APIClient, body: dict[str, Any], grid: Any, code: str) -> None:
    answer = api.post(SWEEPS, body | {"grid": grid})
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert not Sweep.objects.exists()


def test_a_card_is_json_or_markdown(
    api: APIClient, dataset_version: DatasetVersion, make_version: Callable[..., AdapterVersion], no_panels: None
) -> None:
    url = f"/api/v1/adapter-versions/{make_version(dataset_version).id}/card/"
    card = api.get(url).json()
    assert (card["title"], card["hyperparameters"]["Rank"]) == ("boxes v1", "16")
    for answer in (api.get(url, {"format": "md"}), api.get(url, HTTP_ACCEPT="text/markdown")):
        assert answer["Content-Type"] == "text/markdown; charset=utf-8"
        assert answer.content.decode().startswith("---\nmodel_name:")
    missing = api.get(f"/api/v1/adapter-versions/{uuid4()}/card/", {"format": "md"})
    assert missing.status_code == 404


def test_another_tenant_reaches_nothing(
    other_api: APIClient, api: APIClient, body: dict[str, Any], run: TrainingRun
) -> None:
    sweep = api.post(SWEEPS, body | {"grid": {"rank": [4, 8]}}).json()["id"]
    for path in (f"{RUNS}{run.id}/stop/", f"{RUNS}{run.id}/resume/", f"{SWEEPS}{sweep}/stop/"):
        assert other_api.post(path).status_code == 404
    assert other_api.get(f"{SWEEPS}{sweep}/").status_code == 404
    assert other_api.post(f"{RUNS}compare/", {"runs": [str(run.id), str(uuid4())]}).status_code == 404
    assert other_api.post(RUNS, {"clone_of": str(run.id)}).status_code == 404
    assert other_api.post(f"{RUNS}estimate/", body).status_code == 404
    assert other_api.post(SWEEPS, body | {"grid": {"rank": [4, 8]}}).status_code == 404
    assert set(Job.objects.values_list("state", flat=True)) == {State.QUEUED}
