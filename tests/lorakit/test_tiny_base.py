"""The shipped base is what its script makes: the recipe, the corpus, the tokenizer and the weights agree."""

import json
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch

from lorakit.base import load_for_inference, load_tokenizer
from lorakit.digest import file_sha256
from lorakit.tiny import corpus
from lorakit.tiny.build import Recipe, create_model, token_stream, train
from lorakit.tiny.copying import copy_accuracy
from lorakit.tiny.tokenizer import CHAT_TEMPLATE, render, train_tokenizer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def report(base: Path) -> dict[str, Any]:
    """What the build wrote about itself."""
    loaded: dict[str, Any] = json.loads((base / "build.json").read_text())
    return loaded


def test_the_shipped_files_are_the_ones_that_were_built(base: Path, report: dict[str, Any]) -> None:
    assert {name: file_sha256(base / name) for name in report["files"]} == report["files"]
    assert "model.safetensors" in report["files"]
    assert (base / "model.safetensors").stat().st_size < 4_200_000


def test_the_recipe_in_the_script_is_the_one_that_was_used(report: dict[str, Any]) -> None:
    assert json.loads(json.dumps(asdict(Recipe()))) == report["recipe"]


def test_the_corpus_comes_out_the_same(report: dict[str, Any]) -> None:
    stated = report["corpus"]
    assert corpus.checksum(Recipe().corpus_seed, stated["documents"]) == stated["sha256"]


def test_the_tokenizer_comes_out_the_same(tmp_path: Path, report: dict[str, Any]) -> None:
    recipe = Recipe()
    tokenizer = train_tokenizer(
        vocabulary=recipe.vocabulary,
        context=recipe.context,
        seed=recipe.tokenizer_seed,
        count=recipe.tokenizer_documents,
    )
    tokenizer.save_pretrained(tmp_path)
    assert file_sha256(tmp_path / "tokenizer.json") == report["files"]["tokenizer.json"]


def test_a_few_steps_come_out_the_same(base: Path) -> None:
    tokenizer = load_tokenizer(base)
    recipe = Recipe(tokens=3 * 512, tokens_per_step=512)
    first, second = (train(recipe, tokenizer, report_every=1.0).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    untrained = create_model(recipe, tokenizer).state_dict()
    assert not any(torch.equal(first[name], untrained[name]) for name in first)


def test_every_printable_character_is_trained(base: Path) -> None:
    tokenizer = load_tokenizer(base)
    seen = {token for token, _ in islice(token_stream(Recipe(), tokenizer), 200_000)}
    for character in map(chr, range(ord(" "), ord("~") + 1)):
        assert set(tokenizer(character, add_special_tokens=False)["input_ids"]) <= seen, character


def test_training_text_follows_the_chat_template(base: Path) -> None:
    tokenizer = load_tokenizer(base)
    assert tokenizer.chat_template == CHAT_TEMPLATE
    for document in islice((d for d in corpus.documents(5) if d.answer is not None), 20):
        messages = [*corpus.messages(document), {"role": "assistant", "content": str(document.answer)}]
        assert tokenizer.apply_chat_template(messages, tokenize=False) == render(document)


def test_the_corpus_holds_none_of_the_demo_formats() -> None:
    texts = [render(document) for document in islice(corpus.documents(1), 3000)]
    for mark in ("Summarize the clause", "Triage this ticket", "TERMINATION", "queue=", "priority="):
        assert not any(mark in text for text in texts)


def test_the_shipped_model_copies(base: Path) -> None:
    assert copy_accuracy(load_for_inference(base), load_tokenizer(base), count=32) >= 0.85
