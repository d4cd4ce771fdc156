"""Messages above a page stay while its parts go on, so none of them names a state that ends."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = ("portal", "metering", "serving", "evaluations", "adapters", "corpora", "jobs", "tenants")
STATE = re.compile(r"\b(queue|queued|waiting|running|resumes|live)\b")


def messages_of(path: Path) -> Iterator[str]:
    """The text of every message that the file gives, without its values."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("messages."):
            for part in ast.walk(node):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


@pytest.mark.parametrize("app", APPS)
def test_no_message_names_a_state(app: str) -> None:
    texts = [text for path in (ROOT / app).rglob("*.py") for text in messages_of(path)]
    assert [text for text in texts if STATE.search(text)] == []


def test_a_state_in_a_message_is_found(tmp_path: Path) -> None:
    file = tmp_path / "views.py"
    file.write_text('messages.success(request, f"Training of {run.adapter} is queued.")', encoding="utf-8")
    assert [text for text in messages_of(file) if STATE.search(text)] == [" is queued."]
