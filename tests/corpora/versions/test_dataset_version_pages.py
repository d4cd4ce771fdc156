"""The tabs of a version's page."""

import re
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.test import Client

from corpora.models import Dataset, DatasetVersion, VersionState
from corpora.versions.findings import title_of
from tenants.models import Tenant
from tests.corpora.stored import chat, finding, stored_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset(in_tenant: Tenant) -> Dataset:
    return Dataset.objects.create(name="Clauses")


@pytest.fixture
def version(dataset: Dataset) -> DatasetVersion:
    rows = [chat(f"question {number:03}", f"answer {number:03}") for number in range(60)]
    return stored_version(dataset, rows[:45], rows[45:], lines=range(2, 62))


def get(client: Client, version: DatasetVersion, query: str = "", status: int = 200) -> str:
    response = client.get(f"/datasets/versions/{version.id}/{query}")
    assert response.status_code == status
    return response.content.decode()


def shown(page: str) -> list[int]:
    return [number for number in range(60) if f"question {number:03}" in page]


def test_rows_come_in_pages_by_split(as_alice: Client, version: DatasetVersion) -> None:
    assert shown(get(as_alice, version)) == list(range(20))
    assert shown(get(as_alice, version, "?page=3")) == list(range(40, 60))
    assert shown(get(as_alice, version, "?split=test")) == list(range(45, 60))
    assert shown(get(as_alice, version, "?split=train&page=3")) == list(range(40, 45))
    page = get(as_alice, version)
    assert "?page=2" in page
    assert "line 2 in" in page


def test_an_empty_split_says_so(as_alice: Client, dataset: Dataset) -> None:
    version = stored_version(dataset, [chat("a")])
    assert 'class="empty"' in get(as_alice, version, "?split=test")


@pytest.mark.parametrize("query", ["?split=valid", "?page=99999", "?page=-1", "?tab=nonsense", "?page=x", "?q=+++"])
def test_nonsense_in_the_address_shows_rows(query: str, as_alice: Client, version: DatasetVersion) -> None:
    assert shown(get(as_alice, version, query))


def test_a_search_marks_what_it_finds_and_tells_how_far_it_looked(as_alice: Client, version: DatasetVersion) -> None:
    page = get(as_alice, version, "?q=QUESTION+05")
    assert page.count("<mark>question 05</mark>") == 10
    assert "60 of 60 rows" in page
    assert 'rel="next"' not in page
    nothing = get(as_alice, version, "?q=zzz")
    assert ("60 of 60 rows" in nothing, "<mark>" in nothing, 'rel="next"' in nothing) == (True, False, False)


def test_a_search_goes_on_from_its_cursor(
    as_alice: Client, version: DatasetVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("corpora.versions.rows.SEARCH_BYTES", 2000)
    page = get(as_alice, version, "?q=question+059&split=all")
    assert ("<mark>" in page, 'rel="next"' in page) == (False, True)
    cursor = page.split("cursor=")[1].split('"')[0]
    assert f"{int(cursor) - 1} of 60 rows" in page
    monkeypatch.undo()
    assert "<mark>question 059</mark>" in get(as_alice, version, f"?q=question+059&cursor={cursor}")


@pytest.mark.parametrize("cursor", ["0", "61", "-1", "x", "1e3", "٣", "9" * 30])
def test_a_wrong_cursor_is_a_page_that_says_so(cursor: str, as_alice: Client, version: DatasetVersion) -> None:
    assert "request:bad_cursor" in get(as_alice, version, f"?q=a&cursor={cursor}", status=400)


def test_a_text_is_cut_around_what_was_found(as_alice: Client, dataset: Dataset) -> None:
    version = stored_version(dataset, [chat("a" * 5000 + "<needle>" + "b" * 5000)])
    page = get(as_alice, version, "?q=<needle>")
    assert "<mark>&lt;needle&gt;</mark>" in page
    assert page.count("a" * 300) == 1
    assert "b" * 2_000 not in page
    assert "…" in get(as_alice, version)


def test_a_row_has_an_address_that_shows_all_of_it(as_alice: Client, dataset: Dataset) -> None:
    version = stored_version(
        dataset, [chat("a"), chat("é" * 9000, group="rent", label="x"), chat("c")], lines=[2, 9, 11]
    )
    page = get(as_alice, version, "row/?number=2")
    assert "é" * 9000 in page
    assert "line 9 in" in page
    assert 'href="?number=1"' in page
    assert 'href="?number=3"' in page
    for number in ("0", "4", "x", "-1", "9" * 40, "²"):
        assert "portal:not_found" in get(as_alice, version, f"row/?number={number}", status=404)


def test_findings_are_gathered_by_code(as_alice: Client, dataset: Dataset) -> None:
    problems = [
        {"line": line, "field": "completion", "code": "dataset:missing_field", "text": "Fill it in."} for line in (3, 5)
    ]
    warning = {"code": "dataset:duplicate_row", "count": 30, "text": "Left out.", "lines": [7, 8], "decision": ""}
    profile = {"position": "row", "warnings": [warning], "problems_by_code": {"dataset:missing_field": 20}}
    version = stored_version(
        dataset, [chat(str(n)) for n in range(60)], problems=problems, problem_count=20, profile=profile
    )
    page = get(as_alice, version, "?tab=quality")
    assert title_of("dataset:missing_field") in page
    assert "25.0%" in page
    assert "Rows 7, 8 and more" in page
    assert "?tab=quality&amp;code=dataset%3Amissing_field" in page


def test_all_findings_of_a_code_are_listed_in_parts(
    as_alice: Client, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [finding(line, "dataset:even" if line % 2 == 0 else "dataset:odd") for line in range(1, 201)]
    version = stored_version(dataset, [chat("a")], findings=found)
    page = get(as_alice, version, "?tab=quality&code=dataset:even")
    rows = page.split("<tbody>")[1].split("</tbody>")[0]
    assert (rows.count("<tr>"), ">2<" in rows, ">100<" in rows, ">101<" in rows) == (50, True, True, False)
    cursor = page.split("cursor=")[1].split('"')[0]
    assert "Next" not in get(as_alice, version, f"?tab=quality&code=dataset:even&cursor={cursor}").split("</table>")[1]
    assert "request:bad_cursor" in get(as_alice, version, f"?tab=quality&code=all&cursor={int(cursor) + 1}", status=400)
    assert "request:bad_cursor" in get(as_alice, version, f"?tab=quality&code=all&cursor={10**9}", status=400)
    none = get(as_alice, version, "?tab=quality&code=dataset:none")
    assert ('class="empty"' in none, 'rel="next"' in none) == (True, False)
    monkeypatch.setattr("corpora.versions.findings.SEARCH_BYTES", 100)
    none_so_far = get(as_alice, version, "?tab=quality&code=dataset:none")
    assert ('class="empty"' in none_so_far, 'rel="next"' in none_so_far) == (False, True)


def test_the_figures_are_also_a_table(as_alice: Client, dataset: Dataset) -> None:
    bins = [{"low": 0, "high": 500, "rows": 1234}, {"low": 500, "high": 4000, "rows": 7}]
    lengths = {"mean": 1, "minimum": 0, "p50": 40, "p90": 600, "p99": 900, "maximum": 3999, "bins": bins}
    profile = {
        "prompt_characters": lengths, "answer_characters": lengths, "tokens": lengths, "context": "tiny",
        "context_tokens": 2000, "sampled": 1241, "slices": [], "labels": [{"name": "<b>", "train": 1000, "test": 2}],
        "languages": [{"name": "en", "train": 5, "test": 1}], "turns": [{"name": "2", "train": 9, "test": 1}],
    }  # fmt: skip
    page = get(as_alice, stored_version(dataset, [chat("a")], profile=profile), "?tab=profile")
    assert page.count('<details class="figures">') == 6
    assert '<th scope="row" class="fw-normal text-break">500–3,999</th><td class="text-end">7</td>' in page
    assert "&lt;b&gt;</th><td" in page
    assert re.search(r"tiny .*2,000 tokens.*200%", page)


def test_what_changed_is_shown_against_the_version_before(as_alice: Client, dataset: Dataset) -> None:
    first = stored_version(dataset, [chat("kept"), chat("gone")], options={"seed": 0})
    second = stored_version(dataset, [chat("kept"), chat("new one")], options={"seed": 7})
    page = get(as_alice, second, "?tab=versions")
    assert f'value="{first.id}" selected' in page
    assert "Added: 1" in page
    assert "new one" in page
    assert "Seed" in page
    back = get(as_alice, first, f"?tab=versions&against={second.id}")
    assert "Removed: 1" in back
    assert 'name="against"' in get(as_alice, first, "?tab=versions")


def test_the_only_version_has_nothing_to_be_compared_with(as_alice: Client, version: DatasetVersion) -> None:
    page = get(as_alice, version, "?tab=versions")
    assert ('class="empty"' in page, 'name="against"' in page) == (True, False)


def test_other_datasets_are_not_compared_with(as_alice: Client, version: DatasetVersion) -> None:
    other = stored_version(Dataset.objects.create(name="Other"), [chat("secret")])
    for wrong in (other.id, uuid4(), "x"):
        page = get(as_alice, version, f"?tab=versions&against={wrong}", status=404)
        assert "portal:not_found" in page


def test_large_versions_say_that_rows_are_not_compared(
    as_alice: Client, version: DatasetVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("corpora.versions.diff.MAX_ROWS", 10)
    second = stored_version(version.dataset, [chat("a")])
    page = get(as_alice, second, "?tab=versions")
    assert ("60 rows" in page, "Added" in page) == (True, False)


@pytest.mark.parametrize("tab", ["preview", "versions"])
def test_lost_rows_leave_the_other_tabs_usable(tab: str, as_alice: Client, version: DatasetVersion) -> None:
    stored_version(version.dataset, [chat("a")])
    default_storage.delete(version.index_key)
    page = get(as_alice, version, f"?tab={tab}", status=503)
    assert "platform:object_missing" in page
    assert "?tab=quality" in page
    get(as_alice, version, "?tab=quality")
    assert "platform:object_missing" in get(as_alice, version, "row/?number=1", status=503)


def test_a_rejected_version_has_its_quality_only(as_alice: Client, dataset: Dataset) -> None:
    version = stored_version(
        dataset, [], state=VersionState.REJECTED, error_code="dataset:broken_line", error_text="Line 3: fix it."
    )
    for tab in ("", "?tab=preview", "?tab=versions", "?tab=uses"):
        page = get(as_alice, version, tab)
        assert "Line 3: fix it." in page
        assert "?tab=preview" not in page
    assert "dataset:not_ready" in get(as_alice, version, "row/?number=1", status=409)
    assert "dataset:not_ready" in get(as_alice, version, "export/", status=409)


def test_how_it_was_prepared_is_said_in_words(as_alice: Client, dataset: Dataset) -> None:
    options = {
        "columns": {"prompt": "Question"},
        "bad_rows": "leave_out",
        "personal_data": "mask",
        "test_share": 0.25,
        "seed": 9,
    }
    profile = {"delimiter": ";", "warnings": [], "context": "tiny-llama"}
    first = stored_version(dataset, [chat("a")])
    version = stored_version(
        dataset, [chat("a")], options=options, profile=profile, file_format="csv", derived_from=first
    )
    page = " ".join(get(as_alice, version).split())
    assert (
        "CSV with semicolon separator, prompt from “Question”, rows with problems left out, personal data masked, "
        "token counts for tiny-llama, 25% held out unless the file has a split, seed 9"
    ) in page
    assert f'Same file as <a href="/datasets/versions/{first.id}/">v1</a>' in page
