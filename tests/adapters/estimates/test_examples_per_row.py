"""Estimates count the examples that a row really becomes, for every kind of chat template."""

import json
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from adapters.base_models.chat_templates import rewritten_by_template
from adapters.estimates.examples import examples_per_row
from adapters.estimates.time_and_cost import estimate_training
from adapters.models import BaseModel
from adapters.recipes.catalogue import RECIPES
from corpora.models import DatasetVersion
from lorakit.contracts import Learn
from lorakit.rows import ChatRow, parse_row
from lorakit.train.examples import encode_rows
from tests.lorakit.chat_templates import FORGETFUL, tokenizer_with
from tests.lorakit.test_learnt_tokens import PLAIN

TINY = Path(__file__).parents[3] / "lorakit" / "tiny" / "model"
ALWAYS = FORGETFUL.replace("message.reasoning_content is defined and ", "message.role == 'assistant' and ").replace(
    "+ message.reasoning_content +", "+ (message.reasoning_content or '') +"
)
"""As Qwen 3, whose last answer begins with an empty thought where it has none."""

TEMPLATES = {name: template for name, (template, _) in PLAIN.items()} | {"always": ALWAYS}
ANSWERS = (1, 1, 2, 3, 3)
"""Answers of each row."""


def rows(*, reasoning: bool) -> list[ChatRow]:
    thought = {"reasoning_content": "Let me think."} if reasoning else {}
    found = []
    for number, answers in enumerate(ANSWERS):
        messages: list[dict[str, Any]] = []
        for turn in range(answers):
            messages.append({"role": "user", "content": f"Where is parcel {turn}?"})
            messages.append({"role": "assistant", "content": f"In depot {turn} now.", **thought})
        found.append(parse_row({"messages": messages}, str(number)))
    return found


def version_of(found: list[ChatRow], *, reasoning: bool) -> DatasetVersion:
    turns = Counter(str(len(row.messages)) for row in found)
    warnings = [{"code": "dataset:reasoning", "count": len(found)}] if reasoning else []
    return DatasetVersion(
        tenant_id=uuid4(),
        row_count=len(found),
        train_count=len(found),
        options={"reasoning": "keep" if reasoning else "drop"},
        profile={"turns": [{"name": name, "train": n, "test": 0} for name, n in turns.items()], "warnings": warnings},
    )


def base_with(template: str, folder: Path) -> BaseModel:
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": template}))
    return BaseModel(id=uuid4(), name="base", location=str(folder), parameters=1_000_000, context_length=2048)


@pytest.mark.parametrize("learn", ["every_answer", "last_answer"])
@pytest.mark.parametrize(
    ("name", "reasoning"), [*((name, False) for name in TEMPLATES), ("forgetful", True), ("always", True)]
)
def test_they_are_those_of_the_encoder(tmp_path: Path, name: str, reasoning: bool, learn: Learn) -> None:
    template = TEMPLATES[name]
    found = rows(reasoning=reasoning)
    tokenizer = tokenizer_with(TINY, template)
    encoded = encode_rows(tokenizer, found, 4096, learn=learn)
    per_row = examples_per_row(version_of(found, reasoning=reasoning), base_with(template, tmp_path), learn)
    assert round(per_row.examples * len(found)) == len(encoded.examples)
    own = sum(len(tokenizer.apply_chat_template(row.messages, return_dict=False)) for row in found)
    read = sum(len(example.input_ids) for example in encoded.examples)
    assert per_row.tokens == pytest.approx(read / own, rel=0.15)
    is_rewritten = name == "always" or (name == "forgetful" and reasoning)
    assert (len(encoded.examples) > len(found)) == (is_rewritten and learn == "every_answer")


def test_a_template_that_cannot_be_tried_counts_each_row_once(tmp_path: Path) -> None:
    version = version_of(rows(reasoning=False), reasoning=False)
    for template in ("{% if %}", "{{ raise_exception('no') }}", "{{ messages[9].content.x }}"):
        folder = tmp_path / uuid4().hex
        folder.mkdir()
        base = base_with(template, folder)
        assert rewritten_by_template(base) == frozenset()
        assert examples_per_row(version, base, "every_answer").examples == 1
    assert rewritten_by_template(BaseModel(id=uuid4(), location=str(tmp_path / "nowhere"))) == frozenset()


@pytest.mark.django_db
def test_steps_and_time_count_them(base_model: BaseModel, dataset_version: DatasetVersion, tmp_path: Path) -> None:
    numbers = RECIPES["style"].for_base(base_model).hyperparameters
    dataset_version.profile = {"turns": [{"name": "6", "train": 24, "test": 0}]}
    plain = estimate_training(dataset_version=dataset_version, base_model=base_model, hyperparameters=numbers)
    base_model.location = base_with(ALWAYS, tmp_path).location
    several = estimate_training(dataset_version=dataset_version, base_model=base_model, hyperparameters=numbers)
    assert (plain.examples, several.examples) == (24, 72)
    assert several.steps == 3 * plain.steps
    assert several.tokens == pytest.approx(2 * plain.tokens)
    assert several.seconds > plain.seconds
