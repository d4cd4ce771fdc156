"""`manage.py demo` and its choice of a base model: what it refuses, and what it tells the site of the base."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from portal.demo.bases import BASES, SMOLLM2, TINY

ENGLISH = BASES["smollm2"]


@pytest.fixture
def var(tmp_path: Path, settings: Any) -> Path:
    settings.PORTAL_VAR = tmp_path
    return tmp_path


def test_an_unknown_base_is_refused_with_those_there_are() -> None:
    with pytest.raises(CommandError, match=r"invalid choice: 'gpt2'.*tiny.*smollm2"):
        call_command("demo", "--once", "--base", "gpt2")


def test_a_base_that_was_not_fetched_says_how_to_fetch_it(var: Path) -> None:
    with pytest.raises(CommandError, match="make base-smollm2"):
        call_command("demo", "--once", "--base", "smollm2")
    assert list(var.iterdir()) == [], "something was started or written"


@pytest.mark.usefixtures("var")
def test_the_stand_in_has_the_tiny_base_only() -> None:
    with pytest.raises(CommandError, match="Leave out --base"):
        call_command("demo", "--once", "--base", "smollm2", "--aws", "standin")
    assert "AWS_ENDPOINT_URL" not in os.environ


def test_the_site_is_told_of_the_base_and_its_title(var: Path) -> None:
    folder = var / "base-models" / SMOLLM2
    folder.mkdir(parents=True)
    (folder / "base.json").write_text(json.dumps({"title": "Small and English"}))
    assert ENGLISH.environment(var) == {
        "BASE_MODEL_DIR": str(folder),
        "BASE_MODEL_NAME": SMOLLM2,
        "BASE_MODEL_TITLE": "Small and English",
    }
    assert TINY.environment(var) == {}


def test_the_demos_share_neither_data_nor_report_nor_tenants() -> None:
    var = Path("var")
    assert TINY.var_folder(var) == var
    assert ENGLISH.var_folder(var) != var
    assert TINY.report_name != ENGLISH.report_name
    tenants = [demo for base in BASES.values() for demo in base.tenants]
    for unique in ("slug", "name", "dataset", "adapter"):
        assert len({getattr(demo, unique) for demo in tenants}) == len(tenants)
