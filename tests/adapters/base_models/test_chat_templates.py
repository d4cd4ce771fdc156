"""What a base's chat template reads, from the files that its folder has."""

import json
import os
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.base_models import chat_templates
from adapters.base_models.chat_templates import read_by_template
from adapters.models import BaseModel
from tests.lorakit.chat_templates import CHATML, TOOLS

EVERYTHING = {"tools", "tool_calls", "tool turns"}


@pytest.fixture
def base(tmp_path: Path) -> BaseModel:
    return BaseModel(id=uuid4(), name="base", location=str(tmp_path))


def configure(base: BaseModel, template: object) -> None:
    (Path(base.location) / "tokenizer_config.json").write_text(json.dumps({"chat_template": template}))


def test_a_template_in_the_configuration(base: BaseModel) -> None:
    configure(base, CHATML)
    assert read_by_template(base) == frozenset()


def test_named_templates_count_together(base: BaseModel) -> None:
    configure(base, [{"name": "default", "template": CHATML}, {"name": "tool_use", "template": TOOLS}])
    assert set(read_by_template(base) or ()) >= EVERYTHING


def test_a_file_of_its_own_wins_and_others_beside_it_count(base: BaseModel) -> None:
    folder = Path(base.location)
    configure(base, TOOLS)
    (folder / "chat_template.jinja").write_text(CHATML)
    assert read_by_template(base) == frozenset()
    (folder / "additional_chat_templates").mkdir()
    (folder / "additional_chat_templates" / "tool_use.jinja").write_text(TOOLS)
    assert set(read_by_template(base) or ()) >= EVERYTHING


@pytest.mark.parametrize("template", [None, "", "{% if %}", 3, [{"name": "default"}], ["default"]])
def test_what_cannot_be_told_is_left_open(base: BaseModel, template: object) -> None:
    assert read_by_template(base) is None
    configure(base, template)
    assert read_by_template(base) is None


def test_files_are_read_once_and_again_when_they_change(base: BaseModel, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(base, CHATML)
    read: list[Path] = []
    before = chat_templates._templates

    def counted(path: Path) -> list[str]:
        read.append(path)
        return before(path)

    monkeypatch.setattr(chat_templates, "_templates", counted)
    assert [read_by_template(base) for _ in range(3)] == [frozenset()] * 3
    assert len(read) == 1
    configure(base, TOOLS)
    os.utime(Path(base.location) / "tokenizer_config.json", ns=(1, 1))
    assert set(read_by_template(base) or ()) >= EVERYTHING
    assert len(read) == 2
