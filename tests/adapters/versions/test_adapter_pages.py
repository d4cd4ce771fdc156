"""The pages of adapters and versions, the download, and who may see them."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from adapters.models import AdapterVersion
from corpora.models import DatasetVersion
from jobs.models import Job
from jobs.states import State

Make = Callable[..., AdapterVersion]
LIST = reverse("adapters:list")


@pytest.fixture
def version(dataset_version: DatasetVersion, make_version: Make) -> AdapterVersion:
    return make_version(dataset_version)


@pytest.mark.usefixtures("in_tenant")
def test_an_empty_list_says_what_to_do(as_alice: Client) -> None:
    assert reverse("adapters:train") in as_alice.get(LIST).content.decode()


def test_the_list_shows_the_newest_version(as_bob: Client, dataset_version: DatasetVersion, make_version: Make) -> None:
    make_version(dataset_version)
    newest = make_version(dataset_version)
    page = as_bob.get(LIST).content.decode()
    assert reverse("adapters:version", args=[newest.id]) in page
    assert page.count("boxes</a>") == 1


def test_the_list_takes_the_same_queries_for_any_number_of_adapters(
    as_alice: Client,
    dataset_version: DatasetVersion,
    make_version: Make,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(12):
        make_version(dataset_version, name=f"boxes-{number}")
    with django_assert_max_num_queries(12):
        assert "boxes-11" in as_alice.get(LIST).content.decode()


def test_an_adapters_page_shows_versions_and_runs(
    as_alice: Client,
    version: AdapterVersion,
    dataset_version: DatasetVersion,
    make_version: Make,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(5):
        make_version(dataset_version)
    with django_assert_max_num_queries(12):
        page = as_alice.get(reverse("adapters:detail", args=[version.adapter_id])).content.decode()
    assert reverse("adapters:version", args=[version.id]) in page
    assert reverse("adapters:run", args=[version.run_id]) in page
    assert "data-live" not in page.split('id="adapter-live"')[1].split(">")[0]


def test_it_is_live_only_while_something_runs(as_alice: Client, version: AdapterVersion) -> None:
    live = reverse("adapters:live", args=[version.adapter_id])
    Job.objects.update(state=State.RUNNING, fraction=0.4)
    answer = as_alice.get(live)
    assert (answer.status_code, "data-live" in answer.content.decode()) == (200, True)
    Job.objects.update(state=State.SUCCEEDED)
    assert "data-live" not in as_alice.get(live).content.decode()


@pytest.mark.usefixtures("no_panels")
def test_a_versions_page_shows_what_it_was_made_of(as_alice: Client, version: AdapterVersion) -> None:
    version.manifest |= {
        "data_sha256": {"train": "7c" * 32},
        "rows": {"train": {"count": 24, "ids_sha256": "5d" * 32}},
        "code": {"commit": "abc123"},
        "versions": {"torch": "2.13.0"},
        "metrics": {"train_loss": 0.5},
        "resumed_from": [50, 100],
    }
    version.save()
    page = as_alice.get(reverse("adapters:version", args=[version.id])).content.decode()
    assert version.package_sha256 in page
    assert version.manifest["base_sha256"] in page
    for words in ("7c" * 32, "5d" * 32, "abc123", "2.13.0", "train_loss", "at step 50, 100"):
        assert words in page, words
    answer = as_alice.get(reverse("adapters:version", args=[version.id]), {"format": "json"})
    assert (answer.json(), answer["Content-Disposition"]) == (
        version.manifest, 'attachment; filename="boxes-v1-manifest.json"',
    )  # fmt: skip
    assert reverse("corpora:version", args=[version.run.dataset_version_id]) in page
    assert f'href="{reverse("evaluations:start", args=[version.id])}"' in page


def test_the_package_is_streamed_under_a_safe_name(as_alice: Client, version: AdapterVersion) -> None:
    answer = as_alice.get(reverse("adapters:package", args=[version.id]))
    assert answer.streaming
    assert answer["Content-Disposition"] == 'attachment; filename="boxes-v1.tar.gz"'
    assert answer["ETag"] == f'"{version.package_sha256}"'
    assert b"".join(answer) == b"package"


@pytest.mark.parametrize("name", ["detail", "live", "version", "card", "package"])
def test_charlie_and_a_reviewer_see_nothing(
    as_charlie: Client, as_rita: Client, version: AdapterVersion, name: str
) -> None:
    key = version.adapter_id if name in {"detail", "live"} else version.id
    url = reverse(f"adapters:{name}", args=[key])
    assert as_charlie.get(url).status_code == 404
    assert as_rita.get(url).status_code == 403


def test_charlies_list_is_empty(as_charlie: Client, version: AdapterVersion) -> None:
    assert "boxes" not in as_charlie.get(LIST).content.decode()
