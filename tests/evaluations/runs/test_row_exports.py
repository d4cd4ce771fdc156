"""Downloads of an evaluation's rows: the same rows in every format, as filtered, and safe in a spreadsheet."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from evaluations.models import Answer, EvaluationItem, EvaluationRun
from evaluations.runs.grid import exports
from tenants.models import Tenant, User
from tenants.scope import tenant_scope
from tests.evaluations.conftest import reference_of
from tests.evaluations.reviews.rounds import graded

pytestmark = pytest.mark.django_db


def respond(row: dict[str, Any], model: str) -> str:
    number = int(reference_of(row)[-1])
    return reference_of(row) if model == "v1" and number != 2 else "=HYPERLINK(1)"


@pytest.fixture
def run(tenant: Tenant, make_evaluation: Callable[..., EvaluationRun]) -> EvaluationRun:
    return make_evaluation(tenant, respond=respond)


def download(client: Client, run: EvaluationRun, **query: Any) -> bytes:
    response = client.get(reverse("evaluations:export", args=[run.id]), query)
    assert response.status_code == 200
    return response.getvalue()


def as_csv(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def as_jsonl(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.splitlines()]


def as_parquet(data: bytes) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(io.BytesIO(data)).to_pylist()
    return rows


def test_every_format_has_the_same_rows(as_alice: Client, run: EvaluationRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "PART", 2)
    lines = as_jsonl(download(as_alice, run, format="jsonl"))
    assert as_parquet(download(as_alice, run, format="parquet")) == lines
    table = as_csv(download(as_alice, run, format="csv"))
    assert [int(row["row"]) for row in table] == [row["row"] for row in lines] == [1, 2, 3, 4, 5, 6]
    assert list(table[0]) == list(lines[0])
    assert lines[0]["v1.answer"] == lines[0]["expected"] == "SHELF 1 row 1"
    assert (lines[1]["v1.right"], lines[1]["v1.exact_match"], lines[1]["base.judge_grade"]) == (False, 0.0, 1.0)
    assert (table[0]["v1.right"], table[1]["v1.right"], table[0]["v1.confidence"]) == ("yes", "no", "")
    assert lines[0]["prompt"] == "Which shelf holds box 1?"


def test_rows_come_as_the_address_shows_them(as_alice: Client, api: APIClient, run: EvaluationRun) -> None:
    query = {"format": "jsonl", "show": "better", "sort": "-length", "q": "SHELF 4"}
    page = as_jsonl(download(as_alice, run, **query))
    rest = api.get(f"/api/v1/evaluations/{run.id}/export/", query)
    assert [row["row"] for row in page] == [4]
    assert as_jsonl(rest.getvalue()) == page
    assert rest["Content-Type"] == "application/x-ndjson"
    assert rest["Content-Disposition"] == 'attachment; filename="boxes v1 evaluation.jsonl"'


def test_without_rows_there_are_still_columns(as_alice: Client, run: EvaluationRun) -> None:
    assert download(as_alice, run, format="csv", show="worse").startswith(
        b"\xef\xbb\xbfrow,slice,prompt,expected,base."
    )
    assert as_parquet(download(as_alice, run, format="parquet", show="worse")) == []
    assert download(as_alice, run, format="jsonl", show="worse") == b""


def test_no_cell_is_a_formula(as_alice: Client, run: EvaluationRun) -> None:
    assert as_csv(download(as_alice, run, format="csv"))[0]["base.answer"] == "'=HYPERLINK(1)"
    assert as_jsonl(download(as_alice, run, format="jsonl"))[0]["base.answer"] == "=HYPERLINK(1)"


def test_experts_grades_are_those_that_the_person_may_see(
    as_alice: Client, as_bob: Client, alice: User, rita: User, tenant: Tenant, run: EvaluationRun
) -> None:
    with tenant_scope(tenant.id):
        first, second = EvaluationItem.objects.filter(run=run).select_related("run")[:2]
        graded(first, rita, 2, "No.")
        graded(second, alice, 4)
    mine, all_of_them = (as_jsonl(download(client, run, format="jsonl"))[0] for client in (as_alice, as_bob))
    names = [f"v{run.version.number}.{name}" for name in ("expert_grades", "expert_mean", "expert_comments")]
    assert [mine[name] for name in names] == [0, None, ""]
    assert [all_of_them[name] for name in names] == [1, 2.0, "No."]


def test_an_unknown_format_is_csv_on_the_page_and_an_error_in_rest(
    as_alice: Client, api: APIClient, run: EvaluationRun
) -> None:
    assert download(as_alice, run, format="xlsx").startswith(b"\xef\xbb\xbf")
    answer = api.get(f"/api/v1/evaluations/{run.id}/export/", {"format": "xlsx"})
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_rows_are_read_while_the_file_is_sent(
    as_alice: Client, tenant: Tenant, run: EvaluationRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "PART", 2)
    response: Any = as_alice.get(reverse("evaluations:export", args=[run.id]), {"format": "jsonl"})
    pieces = iter(response.streaming_content)
    assert next(pieces).count(b"\n") == 2
    with tenant_scope(tenant.id):
        Answer.objects.filter(item__position=5).update(text="changed")
    assert b"changed" in b"".join(pieces)


def test_charlie_gets_nothing(other_api: APIClient, run: EvaluationRun) -> None:
    assert other_api.get(f"/api/v1/evaluations/{run.id}/export/").status_code == 404
