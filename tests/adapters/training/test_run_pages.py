"""A run's page tells how it goes, survives an absent log, and the list leads to it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from adapters.models import BaseModel, TrainingRun
from adapters.training.charts import spark_points
from adapters.training.services import start_training
from corpora.models import DatasetVersion
from jobs.backends import compute
from jobs.backends.base import Unavailable
from jobs.models import Job
from jobs.states import State
from tests.adapters.reported import end, loss, report


@pytest.fixture
def start(dataset_version: DatasetVersion, base_model: BaseModel) -> Callable[..., TrainingRun]:
    def call(**overrides: Any) -> TrainingRun:
        return start_training(
            tenant=dataset_version.tenant,
            adapter_name="boxes",
            dataset_version=dataset_version,
            base_model=base_model,
            recipe="style",
            overrides=overrides,
        )

    return call


@pytest.fixture
def run(start: Callable[..., TrainingRun]) -> TrainingRun:
    return start(rank=8)


def page_of(client: Client, run: TrainingRun, name: str = "run") -> str:
    return client.get(reverse(f"adapters:{name}", args=[run.id])).content.decode()


def test_a_queued_run_tells_its_place(as_alice: Client, run: TrainingRun) -> None:
    page = page_of(as_alice, run)
    assert 'data-testid="place-in-queue"' in page
    assert "rank 8 instead of 16" in page
    assert "data-live" in page


def test_a_running_run_shows_curves_rate_and_speed(as_alice: Client, run: TrainingRun) -> None:
    end(run, State.RUNNING)
    report(
        run,
        ("phase", {"phase": "training"}),
        loss(10, 2.5, learning_rate=0.004, tokens_per_second=1234.0),
        ("metric", {"step": 10, "eval_loss": 2.25, "fraction": 0.1}),
        ("message", {"text": "Two rows were left out."}),
    )
    part = page_of(as_alice, run, "run-live")
    for words in (
        "2.5000",
        "2.2500",
        "4.00e-03",
        "1,234 tokens/s",
        "Step 10 of 100",
        "Two rows were left out.",
        "Stop",
        "step 10 of 100  loss 2.5000  learning rate 4.00e-03  1,234 tokens/s",
        "step 10  held-out loss 2.2500",
        "phase: training",
    ):
        assert words in part, words
    assert "data-live" in part


def test_a_run_that_ended_asks_no_more(as_alice: Client, run: TrainingRun) -> None:
    end(run, State.STOPPED)
    page = page_of(as_alice, run)
    assert "data-live" not in page
    assert 'data-testid="not-resumable"' in page
    assert "Resume" not in page


def test_the_log_stays_when_the_run_is_cleared_away(as_alice: Client, run: TrainingRun) -> None:
    end(run, State.SUCCEEDED)
    Job.objects.filter(id=run.job_id).update(run_discarded=True)
    report(run, *(loss(step, 1.0) for step in range(1, 101)), ("checkpoint", {"step": 100}))
    page = page_of(as_alice, run)
    assert "step 100  checkpoint saved" in page
    assert "step 42 of 100" in page
    assert "step 41 of 100" not in page
    assert 'data-testid="machine-output"' not in page


def test_what_the_machine_printed_is_the_backends(
    as_alice: Client, run: TrainingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    Job.objects.filter(id=run.job_id).update(external_name="training-1")
    monkeypatch.setattr(type(compute["default"]), "log_tail", lambda self, name, lines: (f"<b>{name}</b>", "loss 2"))
    part = page_of(as_alice, run, "run-log")
    assert "&lt;b&gt;training-1&lt;/b&gt;\nloss 2" in part

    def away(self: object, name: str, lines: int) -> tuple[str, ...]:
        raise Unavailable("platform:away", "The log service does not answer.")

    monkeypatch.setattr(type(compute["default"]), "log_tail", away)
    url = reverse("adapters:run-log", args=[run.id])
    answer = as_alice.get(url)
    assert "The log service does not answer." in answer.content.decode()
    assert "data-live" in answer.content.decode()
    end(run, State.FAILED)
    assert "data-live" not in as_alice.get(url).content.decode()


def test_stopping_twice_is_no_error(as_alice: Client, run: TrainingRun) -> None:
    url = reverse("adapters:run-stop", args=[run.id])
    for _ in range(2):
        assert as_alice.post(url)["Location"] == reverse("adapters:run", args=[run.id])
    assert Job.objects.get(id=run.job_id).state == State.STOPPED
    end(run, State.SUCCEEDED)
    assert "already succeeded" in as_alice.post(url, follow=True).content.decode()


def test_the_list_draws_small_curves_in_a_fixed_number_of_queries(
    as_alice: Client, start: Callable[..., TrainingRun], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(6):
        report(start(), loss(10, 2.0), loss(50, 1.0), loss(90, 0.5))
    with django_assert_max_num_queries(12):
        page = as_alice.get(reverse("adapters:runs")).content.decode()
    assert page.count("<polyline") == 6
    assert "Training loss from 2.00 to 0.50" in page


def test_a_small_curve_falls_from_the_top_left_to_the_bottom_right() -> None:
    assert spark_points([2.0, 1.0, 0.0]) == "0.0,1.0 48.0,12.0 96.0,23.0"
    assert spark_points([1.0]) == ""


def test_a_clone_begins_with_the_runs_own_numbers(as_alice: Client, start: Callable[..., TrainingRun]) -> None:
    run = start(rank=8, alpha=32, epochs=1.5, layers="attention")
    form = as_alice.get(reverse("adapters:train"), {"clone": str(run.id)}).context["form"]
    values = {name: form[name].value() for name in ("adapter", "recipe", "rank", "alpha", "epochs", "layers")}
    assert values == {
        "adapter": "boxes", "recipe": "style", "rank": 8, "alpha": 32, "epochs": 1.5, "layers": "attention",
    }  # fmt: skip
    assert form["learning_rate"].value() is None


def test_charlie_and_a_reviewer_see_and_stop_nothing(as_charlie: Client, as_rita: Client, run: TrainingRun) -> None:
    for name in ("run", "run-live", "run-log", "run-stop", "run-resume"):
        url = reverse(f"adapters:{name}", args=[run.id])
        method = "post" if name in {"run-stop", "run-resume"} else "get"
        assert getattr(as_charlie, method)(url).status_code == 404
        assert getattr(as_rita, method)(url).status_code == 403
    assert Job.objects.get(id=run.job_id).state == State.QUEUED
    assert as_charlie.get(reverse("adapters:train"), {"clone": str(run.id)}).status_code == 200
    assert "boxes" not in as_charlie.get(reverse("adapters:train"), {"clone": str(run.id)}).content.decode()
