"""A large evaluation costs its pages as many queries, and its downloads as much memory, as a small one."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from adapters.models import AdapterVersion
from evaluations.models import EvaluationRun
from evaluations.runs.grid import exports
from evaluations.runs.grid.address import options_of, wanted_by
from evaluations.runs.grid.exports import FILE_TYPES, FileType, export_response
from evaluations.runs.grid.grid import Grid
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.evaluations.runs.large import large_run

pytestmark = pytest.mark.slow

MOST_QUERIES = 30
ADDRESSES = (
    "",
    "show=worse",
    "show=better&wrong=base&slice=leases",
    "show=differs",
    "show=disputed&show=commented",
    "show=unsure",
    "length=middle",
    "sort=judge",
    "sort=-rouge_l",
    "q=clause 12",
    "page=9&size=100",
)

MakeRun = Callable[[int], EvaluationRun]


@pytest.fixture
def make_run(tenant: Tenant, make_version: Callable[..., AdapterVersion]) -> MakeRun:
    def make(rows: int) -> EvaluationRun:
        with tenant_scope(tenant.id):
            return large_run(tenant, [make_version() for _ in range(3)], rows=rows)

    return make


def queries_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_pages_cost_the_same_number_of_queries(as_alice: Client, make_run: MakeRun) -> None:
    small, large = (reverse("evaluations:detail", args=[make_run(rows).id]) for rows in (100, 1000))
    for query in ADDRESSES:
        counts = [queries_of(as_alice, f"{address}?{query}") for address in (small, large)]
        assert counts[0] == counts[1] <= MOST_QUERIES, query
    for part in ("figures/", "rows/50/"):
        counts = [queries_of(as_alice, f"{address}{part}") for address in (small, large)]
        assert counts[0] == counts[1] <= MOST_QUERIES, part


def test_a_download_of_more_rows_takes_no_more_memory(
    in_tenant: Tenant, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "PART", 20)
    run = make_run(900)

    def taken(file_type: FileType, query: str) -> tuple[int, int]:
        """The bytes of the file, and the most memory that making it took."""
        grid = Grid(run, wanted_by(QueryDict(query), options_of(run)), None)
        response: Any = export_response(grid, file_type)
        tracemalloc.start()
        size = sum(len(piece) for piece in response.streaming_content)
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size, highest

    for file_type in FILE_TYPES:
        taken(file_type, "length=middle")
        few_bytes, few_peak = taken(file_type, "length=middle")
        all_bytes, all_peak = taken(file_type, "")
        assert all_bytes > 2 * few_bytes, file_type
        assert all_peak < 1.5 * few_peak, file_type
