"""A version's card says what it was made of, its limits and how to use it: on a page and as Markdown."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from adapters.models import AdapterVersion
from adapters.versions import panels
from adapters.versions.cards import as_markdown, card_of
from adapters.versions.panels import Panel
from corpora.models import DatasetVersion
from tenants.models import User
from tests.adapters.reported import loss, report
from tests.corpora.warned import EMAIL, LEAK, NEAR_LEAK, warned


@pytest.fixture
def version(
    dataset_version: DatasetVersion, make_version: Callable[..., AdapterVersion], no_panels: None
) -> AdapterVersion:
    made = make_version(dataset_version, eval_loss=0.4, rows_too_long=3.0, rows_untaught=2.0)
    made.manifest |= {
        "seeds": {"order": 7},
        "device": "AMD EPYC",
        "versions": {"torch": "2.13.0"},
        "code": {"commit": "abc123"},
        "data_sha256": {"train": "ef" * 32},
    }
    made.save()
    report(made.run, loss(10, 2.0), ("metric", {"step": 20, "eval_loss": 0.3}), loss(90, 0.5, eval_loss=0.4))
    made.adapter.description = "Finds boxes: shelves & all.\n"
    made.adapter.save()
    return made


def test_it_holds_what_the_version_was_made_of(version: AdapterVersion) -> None:
    card = card_of(version)
    assert dict(card.data) == {
        "Training rows": "24",
        "Held-out rows": "6",
        "SHA-256 of the training rows": "ef" * 32,
    }
    assert dict(card.base)["SHA-256"] == "cd" * 32
    assert dict(card.reproduction) == {
        "Seed, order": "7", "Code, commit": "abc123", "Device": "AMD EPYC", "torch": "2.13.0",
    }  # fmt: skip
    assert dict(card.hyperparameters)["Layers"] == "all linear layers"
    assert dict(card.hyperparameters)["Learns"] == "every answer"
    assert dict(card.training)["Held-out loss"] == "0.4000 at the end; lowest 0.3000, at step 20"
    assert dict(card.training)["Training loss"] == "2.0000 at the start, 0.5000 at the end"
    assert card.differences == []
    limits = " ".join(card.limits)
    for words in ("synthetic", "3 rows were skipped", "2 rows were skipped", "Not evaluated"):
        assert words in limits


def test_markdown_has_front_matter_that_yaml_reads(version: AdapterVersion) -> None:
    text = as_markdown(card_of(version))
    _, front, body = text.split("---\n", 2)
    assert yaml.safe_load(front) == {
        "model_name": "boxes",
        "base_model": "tiny-llama",
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "tags": ["lora", "base_model:adapter:tiny-llama"],
    }
    for words in (
        "# boxes v1",
        "shelves & all",
        version.package_sha256,
        "PeftModel.from_pretrained",
        "/v1",
        "## Limits",
    ):
        assert words in body, words


def test_results_come_from_the_panels_of_higher_floors(version: AdapterVersion) -> None:
    panels.register(lambda _: Panel(template="", title="Evaluation", facts=(("Exact match", "0.96"),)))
    card = card_of(version)
    assert card.results == [("Evaluation", [("Exact match", "0.96")])]
    assert not any("evaluated" in limit for limit in card.limits)
    assert "## Evaluation\n\n- Exact match: 0.96" in as_markdown(card)


def test_the_page_and_the_download(as_alice: Client, version: AdapterVersion) -> None:
    url = reverse("adapters:card", args=[version.id])
    page = as_alice.get(url).content.decode()
    for words in ("shelves &amp; all", "ef" * 32, "Limits"):
        assert words in page, words
    answer = as_alice.get(url, {"format": "md"})
    assert answer["Content-Disposition"] == 'attachment; filename="boxes-v1.md"'
    assert answer["Content-Type"] == "text/markdown; charset=utf-8"
    assert answer.content.decode() == as_markdown(card_of(version))


def test_a_foreign_card_is_not_found(as_charlie: Client, version: AdapterVersion) -> None:
    url = reverse("adapters:card", args=[version.id])
    data: Any
    for data in ({}, {"format": "md"}):
        assert as_charlie.get(url, data).status_code == 404


def test_what_the_check_of_the_data_found_is_on_the_card_and_the_page(
    as_alice: Client, api: APIClient, version: AdapterVersion, alice: User
) -> None:
    nothing = as_markdown(card_of(version))
    assert "## Data findings\n\nThe check of the data found no leaks" in nothing
    data = version.run.dataset_version
    data.profile, data.test_count = warned(), 18
    data.personal_data_kept_at, data.personal_data_kept_by = datetime(2026, 5, 3, 12, tzinfo=UTC), alice
    data.save()
    told = [LEAK, NEAR_LEAK, f"{EMAIL} Kept by Alice on 3 May 2026."]
    text = as_markdown(card_of(AdapterVersion.objects.get(id=version.id)))
    assert "## Data findings\n\n" + "".join(f"- {words}\n" for words in told) + "\n## Base model" in text
    found = api.get(f"/api/v1/adapter-versions/{version.id}/card/").json()["data_findings"]
    assert [finding["text"] for finding in found] == told
    assert [finding["severity"] for finding in found] == ["warning", "warning", "note"]
    for name in ("adapters:card", "adapters:version"):
        page = as_alice.get(reverse(name, args=[version.id])).content.decode()
        assert "Data findings</h2>" in page
        assert all(words in page for words in told)
        assert f'href="{reverse("corpora:version", args=[data.id])}?tab=quality"' in page


def test_the_versions_page_has_no_section_without_findings(as_alice: Client, version: AdapterVersion) -> None:
    assert "Data findings" not in as_alice.get(reverse("adapters:version", args=[version.id])).content.decode()
