"""The usage page and its REST twin."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from lorakit.contracts import InvocationRecord
from metering.usage.periods import periods

pytestmark = pytest.mark.django_db
Record = Callable[..., InvocationRecord]


@pytest.mark.parametrize("chosen", ["", "24h", "7d", "30d", "all"])
def test_the_page_shows_every_range(as_bob: Client, record: Record, count: Callable[..., int], chosen: str) -> None:
    count(record(), record(status=503))
    page = as_bob.get("/usage/", {"range": chosen}).content.decode()
    assert "legal" in page
    assert "1 failed" in page
    assert "50.0%" in page


@pytest.mark.parametrize("chosen", ["month", "last-month"])
def test_months_are_offered_and_named(as_bob: Client, chosen: str) -> None:
    period = periods(timezone.now())[chosen]
    page = " ".join(as_bob.get("/usage/", {"range": chosen}).content.decode().split())
    assert f'href="?range={chosen}" aria-current="true">{period.button}</a>' in page
    assert f"{period.title} in whole hours" in page


def test_an_empty_page_says_what_to_do(as_alice: Client) -> None:
    page = as_alice.get("/usage/").content.decode()
    assert 'id="requests-title"' not in page
    assert "/serving/playground/" in page


def test_charlie_sees_nothing_of_it(
    as_charlie: Client, other_api: APIClient, record: Record, count: Callable[..., int]
) -> None:
    count(record(alias="canary-of-alice"))
    assert "canary-of-alice" not in as_charlie.get("/usage/").content.decode()
    assert other_api.get("/api/v1/usage/").json()["total"]["requests"] == 0


def test_a_reviewer_has_no_usage_page(as_rita: Client) -> None:
    assert as_rita.get("/usage/").status_code == 403


def test_rest_tells_the_same(api: APIClient, record: Record, count: Callable[..., int]) -> None:
    count(record(), record(status=404, alias=""))
    document = api.get("/api/v1/usage/").json()
    assert document["total"]["requests"] == 2
    assert {(line["alias"], line["figures"]["requests"]) for line in document["lines"]} == {("legal", 1), ("", 1)}
    assert document["total_usd"] == "0.000000"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"start": "yesterday"}, "start"),
        ({"start": "2026-03-02T00:00:00Z", "end": "2026-03-01T00:00:00Z"}, "start"),
        ({"start": "2020-03-02T00:00:00Z", "end": "2026-03-01T00:00:00Z"}, "start"),
        ({"end": "0000"}, "end"),
    ],
)
def test_a_wrong_time_is_named(api: APIClient, query: dict[str, str], field: str) -> None:
    answer = api.get("/api/v1/usage/", query)
    assert answer.status_code == 400
    assert answer["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] == field


def test_its_queries_do_not_grow_with_the_lines(
    as_alice: Client, record: Record, count: Callable[..., int], django_assert_max_num_queries: Callable[..., object]
) -> None:
    count(*(record(alias=f"adapter-{number}") for number in range(30)))
    with django_assert_max_num_queries(24):  # type: ignore[attr-defined]
        as_alice.get("/usage/?range=30d")


def test_models_come_in_pages_the_busiest_first(
    as_alice: Client, record: Record, count: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("rare", "busy", "seldom")
    count(*(record(alias=name) for name, times in zip(names, (1, 3, 2), strict=True) for _ in range(times)))
    monkeypatch.setattr("metering.views.LINES_ON_A_PAGE", 2)
    for query, shown in (({"range": "7d"}, ["busy", "seldom"]), ({"range": "7d", "page": "2"}, ["rare"])):
        answer = as_alice.get("/usage/", query)
        page = answer.content.decode()
        assert [line.label for line, _ in answer.context["lines"]] == shown
        # The figures above the table are of all pages.
        assert ">6</div>" in page
    assert 'href="?range=7d&amp;page=2"' in as_alice.get("/usage/?range=7d").content.decode()


def test_rest_breaks_down_narrows_and_tells_times(api: APIClient, record: Record, count: Callable[..., int]) -> None:
    now = record().at
    count(
        record(endpoint="eu-1", queue_ms=2.0),
        record(endpoint="eu-2", status=429, at=now - 7200),
        record(alias="triage"),
    )
    document = api.get("/api/v1/usage/", {"by": "endpoint", "model": "legal", "grain": "hour"}).json()
    assert document["total"]["requests"] == 2
    assert {(line["value"], line["figures"]["limited"]) for line in document["lines"]} == {("eu-1", 0), ("eu-2", 1)}
    assert [point["figures"]["requests"] for point in document["series"]] == [1, 1]
    assert document["series"][0]["start"] < document["series"][1]["start"]
    assert document["series"][1]["figures"]["queue_ms"] == 2.0
    assert api.get("/api/v1/usage/").json()["series"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"by": "planet"}, "by"), ({"grain": "minute"}, "grain"), ({"key": "nobody"}, "key"),
        ({"model": "x" * 200}, "model"),
        ({"version": "legal/none"}, "version"),
        ({"start": "2026-01-01T00:00Z", "end": "2026-06-01T00:00Z", "grain": "hour"}, "grain"),
    ],
)  # fmt: skip
def test_a_wrong_breakdown_is_named(api: APIClient, query: dict[str, str], field: str) -> None:
    answer = api.get("/api/v1/usage/", query)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field
