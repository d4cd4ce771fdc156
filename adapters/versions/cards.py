"""The model card of a version: purpose, data, results, limits and usage."""

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from django.template.loader import render_to_string

from adapters.models import AdapterVersion
from adapters.recipes.catalogue import RECIPES, Recipe
from adapters.recipes.hyperparameters import Difference, Hyperparameters, describe, differences
from adapters.training.curves import curve_of
from adapters.training.previews import SHOWN, title_of
from adapters.versions.manifests import Facts, data_facts, made_with
from adapters.versions.panels import panels_of
from corpora.versions.caveats import Caveat, caveats_of
from jobs.reports.queries import report_of


@dataclass(frozen=True, kw_only=True)
class Card:
    """Everything as text, in reading order; `results` are (title, facts) from higher floors."""

    version: AdapterVersion
    title: str
    recipe: Recipe | None
    dataset: str
    data: Facts
    data_findings: list[Caveat]
    base: Facts
    differences: list[Difference]
    hyperparameters: Facts
    reproduction: Facts
    training: Facts
    results: list[tuple[str, Facts]]
    limits: list[str]
    gateway_url: str
    no_findings: ClassVar[str] = "The check of the data found no leaks, personal data or other doubts."


def card_of(version: AdapterVersion) -> Card:
    """The card of a version read with its adapter, base model, run, job and dataset."""
    run, base, manifest = version.run, version.adapter.base_model, version.manifest
    recipe = RECIPES.get(run.recipe)
    numbers: dict[str, Any] = run.hyperparameters
    advised = recipe.for_base(base, run.dataset_version.train_count).hyperparameters if recipe else None
    results = [(panel.title, list(panel.facts)) for panel in panels_of(version) if panel.facts]
    return Card(
        version=version,
        title=str(version),
        recipe=recipe,
        dataset=" ".join(str(run.dataset_version).split()),
        data=data_facts(version),
        data_findings=caveats_of(run.dataset_version),
        base=[("Name", base.name), ("SHA-256", manifest.get("base_sha256") or base.sha256 or "unknown")],
        differences=differences(advised, Hyperparameters.from_dict(numbers)) if advised else [],
        hyperparameters=[(title_of(name), describe(numbers[name])) for name in SHOWN if numbers.get(name) is not None],
        reproduction=made_with(manifest),
        training=_training(version),
        results=results,
        limits=_limits(version, evaluated=bool(results)),
        gateway_url=settings.GATEWAY_URL,
    )


def as_markdown(card: Card) -> str:
    """The card as Markdown with YAML front matter, as Hugging Face expects."""
    front = {
        "model_name": card.version.adapter.name,
        "base_model": card.version.adapter.base_model.name,
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "tags": ["lora", f"base_model:adapter:{card.version.adapter.base_model.name}"],
    }
    # A JSON value is a YAML value, whatever it holds.
    lines = "".join(f"{key}: {json.dumps(value)}\n" for key, value in front.items())
    return f"---\n{lines}---\n\n" + render_to_string("adapters/versions/card.md", {"card": card})


def _training(version: AdapterVersion) -> Facts:
    metrics = version.metrics
    points = curve_of(version.run, report_of(version.run.job))
    losses = [point["loss"] for point in points if "loss" in point]
    held_out = [(point["eval_loss"], point["step"]) for point in points if "eval_loss" in point]
    facts: Facts = []
    if "steps" in metrics:
        facts.append(("Steps", f"{metrics['steps']:,.0f}"))
    if "tokens" in metrics:
        facts.append(("Tokens", f"{metrics['tokens']:,.0f}"))
    if losses:
        facts.append(("Training loss", f"{losses[0]:.4f} at the start, {losses[-1]:.4f} at the end"))
    if held_out:
        lowest, step = min(held_out)
        facts.append(("Held-out loss", f"{held_out[-1][0]:.4f} at the end; lowest {lowest:.4f}, at step {step:,}"))
    elif "eval_loss" in metrics:
        facts.append(("Held-out loss", f"{metrics['eval_loss']:.4f}"))
    if resumed := version.manifest.get("resumed_from"):
        facts.append(("Resumed", "at step " + ", ".join(f"{step:,}" for step in resumed)))
    if "train_seconds" in metrics:
        facts.append(("Training time", f"{metrics['train_seconds']:,.0f} s"))
    return facts


def _limits(version: AdapterVersion, *, evaluated: bool) -> list[str]:
    base, dataset = version.adapter.base_model, version.run.dataset_version
    limits = [
        f"Works only with {base.name}, with exactly the weights whose hash is given here.",
        "Trained on one dataset. On other kinds of text it may perform worse than its base model.",
    ]
    if base.is_synthetic:
        limits.append("The base is a small synthetic model that does not understand English.")
    if not dataset.test_count:
        limits.append("No rows were held out, so the loss says nothing about unseen rows.")
    elif "eval_loss" not in version.metrics:
        limits.append("The held-out loss was not measured because every held-out row was too long.")
    if too_long := version.metrics.get("rows_too_long"):
        limits.append(f"{too_long:,.0f} rows were skipped in training because they were too long.")
    if untaught := version.metrics.get("rows_untaught"):
        limits.append(f"{untaught:,.0f} rows were skipped in training because their answers have weight 0.")
    if not evaluated:
        limits.append("Not evaluated against its base model yet.")
    return limits
