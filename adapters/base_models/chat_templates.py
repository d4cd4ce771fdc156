"""What the chat template of a base model reads, from its tokenizer's files where they are on this machine."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from adapters.models import BaseModel
from lorakit.chat_templates import read_by

CONFIG, TEMPLATE, MORE = "tokenizer_config.json", "chat_template.jinja", "additional_chat_templates"
"""Where transformers keeps templates: in the tokenizer's configuration, or in files of their own, which win."""

REMEMBERED = 64
"""Base models whose templates stay in memory."""


def read_by_template(base_model: BaseModel) -> frozenset[str] | None:
    """What any chat template of the base reads (`lorakit.chat_templates`), or None if that cannot be told here."""
    folder = Path(base_model.location)
    try:
        changed = tuple((path, path.stat().st_mtime_ns) for path in _files(folder))
    except OSError:
        return None
    return _read(str(base_model.id), changed)


def _files(folder: Path) -> list[Path]:
    own = [folder / TEMPLATE] if (folder / TEMPLATE).is_file() else []
    return [*own, *sorted((folder / MORE).glob("*.jinja"))] if own else [folder / CONFIG]


@lru_cache(maxsize=REMEMBERED)
def _read(base_model: str, files: tuple[tuple[Path, int], ...]) -> frozenset[str] | None:
    """Read again when a file changes."""
    try:
        templates = [template for path, _ in files for template in _templates(path)]
        read = [read_by(template) for template in templates]
    except (OSError, ValueError, LookupError, TypeError, AttributeError, TemplateError):
        return None
    return frozenset().union(*read) if read else None


def _templates(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    if path.name != CONFIG:
        return [text]
    found: Any = json.loads(text).get("chat_template") or []
    return [found] if isinstance(found, str) else [named["template"] for named in found]
