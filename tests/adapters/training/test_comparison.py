"""Two to five runs beside each other."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from adapters.models import AdapterVersion, TrainingRun
from adapters.training.comparison import check_count, compare, parse_run_ids
from adapters.training.queries import runs_by_ids
from corpora.models import DatasetVersion
from rest.errors import PortalError
from tests.adapters.reported import loss, report

URL = reverse("adapters:compare")


@pytest.fixture
def runs(dataset_version: DatasetVersion, make_version: Callable[..., AdapterVersion]) -> list[TrainingRun]:
    found = []
    for rank, value in ((16, 1.0), (8, 0.5)):
        run = make_version(dataset_version).run
        run.hyperparameters["rank"] = rank
        run.save()
        report(run, loss(10, 2 * value), ("metric", {"step": 20, "eval_loss": value}))
        found.append(run)
    return found


def query(runs: list[TrainingRun], **more: Any) -> dict[str, Any]:
    return {"run": [str(run.id) for run in runs], **more}


def test_settings_differ_where_the_runs_do(runs: list[TrainingRun]) -> None:
    comparison = compare(runs_by_ids([run.id for run in runs]))
    assert [(row.title, row.values) for row in comparison.differing] == [("Rank", ["16", "8"])]
    assert [(item.name, item.loss, item.eval_loss, item.step) for item in comparison.runs] == [
        ("A: boxes v1", 2.0, 1.0, 20),
        ("B: boxes v2", 1.0, 0.5, 20),
    ]
    assert comparison.figure is not None
    assert [(trace["name"], trace["x"], trace["y"]) for trace in comparison.figure["data"]] == [
        ("A: boxes v1", [10], [2.0]),
        ("A: boxes v1 (held out)", [20], [1.0]),
        ("B: boxes v2", [10], [1.0]),
        ("B: boxes v2 (held out)", [20], [0.5]),
    ]


def test_the_page_shows_all_settings_or_differences_alone(as_alice: Client, runs: list[TrainingRun]) -> None:
    page = as_alice.get(URL, query(runs)).content.decode()
    assert "Learning rate</span></th>" in page
    assert "unknown" in page, "what a run without a price has cost"
    page = as_alice.get(URL, query(runs, differences="1")).content.decode()
    assert "Rank</span></th>" in page
    assert "Learning rate</span></th>" not in page


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_lead_back_to_the_list(as_alice: Client, runs: list[TrainingRun], count: int) -> None:
    answer = as_alice.get(URL, query(runs[:count]), follow=True)
    assert answer.redirect_chain[0][0] == reverse("adapters:runs")
    assert "2 to 5 different runs" in answer.content.decode()


@pytest.mark.parametrize("count", [1, 6])
def test_one_run_and_six_are_refused(count: int) -> None:
    with pytest.raises(PortalError) as caught:
        check_count(count)
    assert caught.value.code == "training:compare_count"


def test_the_same_run_twice_is_one() -> None:
    run_id = uuid4()
    assert parse_run_ids([str(run_id), str(run_id)]) == [run_id]
    with pytest.raises(PortalError):
        parse_run_ids(["x"])


def test_what_is_no_run_or_foreign_is_not_found(as_alice: Client, as_charlie: Client, runs: list[TrainingRun]) -> None:
    assert as_alice.get(URL, query(runs) | {"run": [str(runs[0].id), str(uuid4())]}).status_code == 404
    assert as_alice.get(URL, {"run": ["x", "y"]}).status_code == 400
    assert as_charlie.get(URL, query(runs)).status_code == 404
