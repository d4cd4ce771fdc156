"""A sweep starts a run for every combination and puts the lowest held-out loss first."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from adapters.models import AdapterVersion, BaseModel, Sweep, TrainingRun
from adapters.sweeps.grids import check_grid, combinations
from adapters.sweeps.queries import sweep_table
from adapters.sweeps.services import start_sweep
from adapters.training.services import resume_training
from corpora.models import DatasetVersion, VersionState
from jobs.models import Job
from jobs.states import State
from rest.errors import Conflict, PortalError
from tenants.models import Tenant
from tests.adapters.reported import end, report

NEW = reverse("adapters:new-sweep")
GRID = {"rank": [8.0, 16.0], "epochs": [1.0, 2.0]}


@pytest.fixture
def start(dataset_version: DatasetVersion, base_model: BaseModel, tenant: Tenant) -> Callable[..., Sweep]:
    def call(**changes: Any) -> Sweep:
        arguments: dict[str, Any] = {
            "tenant": tenant,
            "adapter_name": "boxes",
            "dataset_version": dataset_version,
            "base_model": base_model,
            "recipe": "style",
            "overrides": {"batch_size": 4},
            "grid": GRID,
        }
        return start_sweep(**arguments | changes)

    return call


def test_every_combination_is_a_run_of_one_adapter(start: Callable[..., Sweep]) -> None:
    runs = list(start().runs.order_by("created_at"))
    assert [(r.hyperparameters["rank"], r.hyperparameters["epochs"]) for r in runs] == [
        (8, 1.0), (8, 2.0), (16, 1.0), (16, 2.0),
    ]  # fmt: skip
    assert {r.hyperparameters["alpha"] for r in runs if r.hyperparameters["rank"] == 8} == {16}
    assert {(r.adapter.name, r.hyperparameters["batch_size"], r.job.state) for r in runs} == {("boxes", 4, "queued")}


@pytest.mark.parametrize(
    ("grid", "code"),
    [
        ({"rank": list(range(1, 14))}, "training:sweep_too_large"),
        ({"rank": [4, 8, 16, 32], "epochs": [1, 2], "learning_rate": [1e-4, 2e-4]}, "training:sweep_too_large"),
        ({"rank": [8]}, "training:sweep_too_small"),
        ({}, "training:sweep_too_small"),
        ({"rank": [8, 8]}, "training:bad_setting"),
        ({"rank": []}, "training:bad_setting"),
        ({"alpha": [8, 16]}, "training:unknown_setting"),
        ({"rank": [8, 257]}, "training:bad_setting"),
        ({"rank": [8, 8.5]}, "training:bad_setting"),
    ],
)
def test_a_grid_that_cannot_be_trained_starts_nothing(start: Callable[..., Sweep], grid: Any, code: str) -> None:
    with pytest.raises(PortalError) as caught:
        start(grid=grid)
    assert caught.value.code == code
    assert not TrainingRun.objects.exists()


def test_twelve_are_allowed() -> None:
    grid = {"rank": [4.0, 8.0, 16.0, 32.0], "epochs": [1.0, 2.0, 3.0]}
    check_grid(grid)
    assert len(list(combinations(grid))) == 12


def test_a_dataset_that_is_not_ready_starts_nothing(
    start: Callable[..., Sweep], make_dataset: Callable[..., DatasetVersion]
) -> None:
    with pytest.raises(Conflict):
        start(dataset_version=make_dataset(name="Broken", state=VersionState.REJECTED))
    assert not Sweep.objects.exists()


def test_the_form_follows_the_dataset_as_that_of_a_training(
    as_alice: Client, in_tenant: Tenant, base_model: BaseModel, make_dataset: Callable[..., DatasetVersion]
) -> None:
    answers = {"rows": 30, "distinct": 5, "longest": 10, "json": 0, "same_form": 0}
    labelled = make_dataset(name="Requests", profile={"answers": answers})
    make_dataset(name="Others")
    page = as_alice.get(NEW, {"dataset": str(labelled.id)}).content.decode()
    assert "Your answers are one of 5 labels." in page
    assert 'name="suggested" value="classification"' in page
    sent = {"dataset_version": str(labelled.id), "adapter": "", "proposed_name": "", "ranks": "8, 16"}
    plan = reverse("adapters:sweep-estimate")
    page = as_alice.get(plan, sent | {"recipe": "style", "suggested": "style"}).content.decode()
    assert '<fieldset id="recipes" hx-swap-oob="true">' in page
    assert "checked" in page.split('name="recipe" value="classification"')[1].split(">")[0]
    assert 'value="requests"' in page.split('<div id="adapter-name" hx-swap-oob="true">')[1].split("</div>")[0]
    own = as_alice.get(plan, sent | {"recipe": "dialogue", "suggested": "style", "adapter": "mine"}).content.decode()
    assert 'id="recipes"' not in own
    assert 'id="adapter-name"' not in own
    assert "Suggested: <strong>Classification</strong>" in own


def test_the_lowest_held_out_loss_comes_first_and_the_best_has_ended_well(start: Callable[..., Sweep]) -> None:
    sweep = start()
    runs = list(sweep.runs.order_by("created_at"))
    for run, values, state in zip(
        runs,
        ([0.9, 0.4], [0.2], [0.3], []),
        (State.SUCCEEDED, State.FAILED, State.SUCCEEDED, State.QUEUED),
        strict=True,
    ):
        report(run, *(("metric", {"step": 10, "eval_loss": value}) for value in values))
        end(run, state)
    table = sweep_table(sweep)
    assert table.titles == ["Rank", "Epochs"]
    assert [(row.eval_loss, row.is_best) for row in table.rows] == [
        (0.2, False), (0.3, True), (0.4, False), (None, False),
    ]  # fmt: skip
    assert table.rows[1].values == {"Rank": "16", "Epochs": "1"}
    assert (table.ended, table.is_running) == (3, True)


def test_a_resumed_run_stands_for_the_one_it_resumed(start: Callable[..., Sweep]) -> None:
    sweep = start()
    run = sweep.runs.first()
    assert run is not None
    report(run, ("checkpoint", {"step": 50}))
    end(run, State.STOPPED)
    resumed = resume_training(run_id=run.id)
    shown = {row.run.id for row in sweep_table(sweep).rows}
    assert resumed.id in shown
    assert run.id not in shown
    assert len(shown) == 4


def test_a_sweep_costs_what_all_its_ended_runs_cost(as_alice: Client, start: Callable[..., Sweep]) -> None:
    sweep = start()
    run, other, *_ = sweep.runs.order_by("created_at")
    report(run, ("checkpoint", {"step": 50}))
    end(run, State.STOPPED)
    end(other, State.RUNNING)
    Job.objects.filter(id__in=[run.job_id, other.job_id]).update(billable_seconds=3600.0, usd_per_hour=1)
    resumed = resume_training(run_id=run.id)
    once = sweep_table(sweep).cost_usd
    assert once is not None
    assert once > 0
    end(resumed, State.SUCCEEDED)
    Job.objects.filter(id=resumed.job_id).update(billable_seconds=1800.0, usd_per_hour=1)
    assert sweep_table(sweep).cost_usd == pytest.approx(1.5 * once)
    row = as_alice.get(reverse("adapters:sweeps")).context["rows"][0][0]
    assert row.count == len(sweep_table(sweep).rows) == 4


def test_all_are_stopped_and_what_ended_is_left(as_alice: Client, start: Callable[..., Sweep]) -> None:
    sweep = start()
    first, second, *_ = sweep.runs.order_by("created_at")
    end(first, State.SUCCEEDED)
    end(second, State.RUNNING)
    for _ in range(2):
        assert as_alice.post(reverse("adapters:sweep-stop", args=[sweep.id])).status_code == 302
    states = [run.job.state for run in sweep.runs.select_related("job").order_by("created_at")]
    assert states == [State.SUCCEEDED, State.STOPPING, State.STOPPED, State.STOPPED]


def test_the_form_starts_a_sweep(
    as_bob: Client, dataset_version: DatasetVersion, base_model: BaseModel, make_version: Callable[..., AdapterVersion]
) -> None:
    form = {
        "dataset_version": str(dataset_version.id), "adapter": "boxes", "recipe": "style",
        "ranks": "8, 16", "learning_rates": "0.002;0.005", "strength": "careful",
    }  # fmt: skip
    estimate = as_bob.get(reverse("adapters:sweep-estimate"), form).content.decode()
    assert ">4</dd>" in estimate
    assert "Assumed" in estimate
    location = as_bob.post(NEW, form)["Location"]
    sweep = Sweep.objects.get()
    assert location == reverse("adapters:sweep", args=[sweep.id])
    assert sweep.grid == {"rank": [8.0, 16.0], "learning_rate": [0.002, 0.005]}
    assert {(r.hyperparameters["rank"], r.hyperparameters["alpha"]) for r in sweep.runs.all()} == {(8, 8), (16, 16)}
    page = as_bob.get(location).content.decode()
    assert "0 of 4 trainings" in page
    assert "data-live" in page
    Job.objects.update(state=State.STOPPED)
    assert "data-live" not in as_bob.get(reverse("adapters:sweep-live", args=[sweep.id])).content.decode()


@pytest.mark.parametrize(("ranks", "message"), [("8", "at least two"), ("many", "commas"), ("8, 999", "from 1 to 256")])
def test_a_bad_list_is_explained(
    as_bob: Client, dataset_version: DatasetVersion, base_model: BaseModel, ranks: str, message: str
) -> None:
    form = {"dataset_version": str(dataset_version.id), "adapter": "boxes", "recipe": "style", "ranks": ranks}
    assert message in as_bob.post(NEW, form).content.decode()
    assert message in as_bob.get(reverse("adapters:sweep-estimate"), form).content.decode()
    assert not Sweep.objects.exists()


def test_a_sweeps_page_takes_the_same_queries_for_any_number_of_runs(
    as_alice: Client, start: Callable[..., Sweep], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    sweep = start(grid={"rank": [2.0, 4.0, 8.0, 16.0], "epochs": [1.0, 2.0, 3.0]})
    with django_assert_max_num_queries(12):
        assert as_alice.get(reverse("adapters:sweep", args=[sweep.id])).status_code == 200


def test_charlie_sees_and_stops_nothing(as_charlie: Client, as_rita: Client, start: Callable[..., Sweep]) -> None:
    sweep = start()
    assert "boxes" not in as_charlie.get(reverse("adapters:sweeps")).content.decode()
    for name in ("sweep", "sweep-live"):
        url = reverse(f"adapters:{name}", args=[sweep.id])
        assert (as_charlie.get(url).status_code, as_rita.get(url).status_code) == (404, 403)
    assert as_charlie.post(reverse("adapters:sweep-stop", args=[sweep.id])).status_code == 404
    assert {run.job.state for run in sweep.runs.select_related("job")} == {State.QUEUED}
