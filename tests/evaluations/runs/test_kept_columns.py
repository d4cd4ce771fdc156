"""What is kept with an evaluation's rows: its language and columns of the file, in filters, figures and downloads."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from adapters.models import AdapterVersion
from evaluations.models import EvaluationItem, EvaluationRun
from evaluations.runs.grid.address import options_of, wanted_by
from evaluations.runs.grid.columns import column_filters, condition_of
from evaluations.runs.grid.grid import Grid
from evaluations.runs.report import column_reports
from evaluations.runs.stages.columns import MOST_FIGURES, MOST_LISTED, by_column
from evaluations.runs.stages.held_out import held_out_rows
from tenants.models import Tenant
from tests.evaluations.conftest import lines, reference_of, row

GERMAN = "Auf welchem Regal steht die Kiste mit der Nummer {}, und wer hat sie zuletzt bewegt?"


def respond(row: dict[str, Any], model: str) -> str:
    """The adapter is right on all rows but 2, the base on none."""
    return reference_of(row) if model != "base" and not reference_of(row).endswith(" 2") else "No"


def told(number: int) -> dict[str, Any]:
    """Rows 1 to 6: the topics a, b, a, b, ...; 5 and 6 are German, and 6 has no channel."""
    found = row(number)
    if number > 4:
        found["messages"][0]["content"] = GERMAN.format(number)
    return found | {
        "metadata": {"topic": "ab"[number % 2], "a:b": "x:y" if number < 3 else "z"}
        | ({} if number == 6 else {"channel": "web"})
    }


@pytest.fixture
def run(
    in_tenant: Tenant, make_version: Callable[..., AdapterVersion], make_evaluation: Callable[..., EvaluationRun]
) -> EvaluationRun:
    version = make_version()
    dataset_version = version.run.dataset_version
    dataset_version.test_key = default_storage.save(dataset_version.test_key, lines(map(told, range(1, 7))))
    dataset_version.save()
    return make_evaluation(in_tenant, version=version, respond=respond)


def shown(run: EvaluationRun, query: str) -> list[int]:
    grid = Grid(run, wanted_by(QueryDict(query), options_of(run)), None)
    return list(grid.ordered.order_by("position").values_list("position", flat=True))


def test_rows_have_their_columns_and_language(run: EvaluationRun) -> None:
    kept = dict(EvaluationItem.objects.filter(run=run).values_list("position", "metadata"))
    assert kept[1] == {"topic": "b", "a:b": "x:y", "channel": "web", "language": "en"}
    assert kept[6] == {"topic": "a", "a:b": "z", "language": "de"}


@pytest.mark.parametrize(
    ("query", "positions"),
    [
        ("where=topic:a", [2, 4, 6]),
        ("where=language:de", [5, 6]),
        ("where=topic:a&where=language:de", [6]),
        ("where=a:b:x:y", [1, 2]),
        ("where=topic:a&slice=unseen", [6]),
        ("where=topic:a&wrong=v1", [2]),
        ("where=channel:web&where=topic:a", [2, 4]),
        ("where=topic:b&where=topic:a", [2, 4, 6]),
        ("where=topic:nothing", []),
        ("where=topic:%00", []),
        ("where=unknown:a", [1, 2, 3, 4, 5, 6]),
        ("where=&where=topic", [1, 2, 3, 4, 5, 6]),
    ],
)
def test_rows_are_filtered_by_them(run: EvaluationRun, query: str, positions: list[int]) -> None:
    assert shown(run, query) == positions


def test_an_address_keeps_them_until_filters_are_cleared(run: EvaluationRun) -> None:
    wanted = wanted_by(QueryDict("where=topic:a&where=language:de&sort=length"), options_of(run))
    assert wanted.address() == "where=topic%3Aa&where=language%3Ade&sort=length"
    assert wanted.filters
    assert wanted.without_filters() == "sort=length"


def test_each_value_has_figures(run: EvaluationRun) -> None:
    columns = run.summary["all"]["columns"]
    assert {column: sorted(values) for column, values in columns.items()} == {
        "topic": ["a", "b"],
        "a:b": ["x:y", "z"],
        "channel": ["web"],
        "language": ["de", "en"],
    }
    assert columns["topic"]["a"]["rows"] == 3
    assert columns["topic"]["a"]["figures"]["v1"]["exact_match"] == pytest.approx(2 / 3)
    assert {(one["model"], one["against"]) for one in columns["topic"]["a"]["differences"]} == {("v1", "base")}
    first, second = column_reports(run, "topic", "v1", "base")
    assert (first.name, first.rows, first.figures[0].own, first.verdict) == ("a", 3, "66.7%", "unclear")
    assert second.figures[0].own == "100.0%"
    assert "More held-out rows are needed" in first.sentence


def test_columns_with_many_values_are_for_filtering_only() -> None:
    few = [{"user": f"u{number % MOST_FIGURES}"} for number in range(90)]
    assert all("figures" in part for part in by_column(few, lambda places: {"figures": {}})["user"].values())
    many = [{"user": f"u{number}", "site": "x"} for number in range(MOST_LISTED + 9)]
    found = by_column(many, lambda places: {"figures": {}})
    assert found["site"] == {"x": {"rows": len(many)}}
    assert len(found["user"]) == MOST_LISTED
    assert found["user"]["u7"] == {"rows": 1}


def test_only_columns_that_tell_rows_apart_are_offered(run: EvaluationRun) -> None:
    run.summary["all"]["columns"]["all the same"] = {"x": {"rows": 6}}
    offered = column_filters(run, {"topic": "a"})
    assert [(one.title, one.chosen) for one in offered] == [
        ("Language", ""),
        ("a:b", ""),
        ("channel", ""),
        ("topic", "topic:a"),
    ]
    assert [(one.title, one.rows) for one in offered[0].choices] == [("English", 4), ("German", 2)]
    assert condition_of("a:b:c", {"a": {}, "a:b": {}}) == ("a:b", "c")


def test_pages_show_them(as_alice: Client, run: EvaluationRun) -> None:
    address = reverse("evaluations:detail", args=[run.id])
    page = as_alice.get(address, {"where": "topic:a"}).content.decode()
    assert '<option value="topic:a" selected>a (3)</option>' in page
    assert "3 of 6 rows" in page
    figures = as_alice.get(f"{address}figures/", {"by": "topic"}).content.decode()
    assert "?where=topic%3Aa#rows" in figures
    assert "language" in as_alice.get(f"{address}figures/").context["by"]
    assert "Language: German" in as_alice.get(f"{address}rows/6/").content.decode()


def test_an_evaluation_from_before_has_none(as_alice: Client, run: EvaluationRun) -> None:
    del run.summary["all"]["columns"]
    run.save()
    EvaluationItem.objects.filter(run=run).update(metadata={})
    address = reverse("evaluations:detail", args=[run.id])
    for part in ("", "?where=topic:a", "figures/?by=topic", "rows/1/", "export/?where=topic:a"):
        assert as_alice.get(f"{address}{part}").status_code == 200
    assert shown(run, "where=topic:a") == [1, 2, 3, 4, 5, 6]


def test_downloads_and_rest_have_them(as_alice: Client, api: APIClient, run: EvaluationRun) -> None:
    address = reverse("evaluations:export", args=[run.id])
    data = as_alice.get(address, {"where": "language:de"}).getvalue().decode("utf-8-sig")
    table = list(csv.DictReader(io.StringIO(data, newline="")))
    assert [(one["row"], one["metadata.topic"], one["metadata.channel"]) for one in table] == [
        ("5", "b", "web"),
        ("6", "a", ""),
    ]
    rest = f"/api/v1/evaluations/{run.id}"
    found = api.get(f"{rest}/export/", {"format": "jsonl", "where": ["topic:a", "language:de"]})
    assert [json.loads(line)["metadata.language"] for line in found.getvalue().splitlines()] == ["de"]
    assert api.get(f"{rest}/items/").json()["results"][5]["metadata"]["language"] == "de"


def test_labels_are_a_column_too(in_tenant: Tenant, make_version: Callable[..., AdapterVersion]) -> None:
    version = make_version().run.dataset_version
    rows = [row(1) | {"label": "boxes"}, row(2) | {"label": ""}, row(3) | {"label": "a", "metadata": {"label": "b"}}]
    version.test_key = default_storage.save(version.test_key, lines(rows))
    assert [kept.metadata.get("label") for kept in held_out_rows(version)] == ["boxes", None, "b"]
