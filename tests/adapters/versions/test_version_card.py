"""A version's card says what it was made of, its limits and how to use it: on a page and as Markdown."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from django.test import Client
from django.urls import reverse

from adapters.models import AdapterVersion
from adapters.versions import panels
from adapters.versions.cards import as_markdown, card_of
from adapters.versions.panels import Panel
from corpora.models import DatasetVersion
from tests.adapters.reported import loss, report


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
