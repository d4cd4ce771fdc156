"""What the chat template of a base model reads, from its tokenizer's files where they are on this machine."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from adapters.models import BaseModel
from lorakit.chat_probe import rewrites_earlier_turns
from lorakit.chat_templates import read_by

CONFIG, TEMPLATE, MORE = "tokenizer_config.json", "chat_template.jinja", "additional_chat_templates"
"""Where transformers keeps templates: in the tokenizer's configuration, or in files of their own, which win."""

REMEMBERED = 64
"""Base models whose templates stay in memory."""


def read_by_template(base_model: BaseModel) -> frozenset[str] | None:
    """What any chat template of the base reads (`lorakit.chat_templates`), or None if that cannot be told here."""
    changed = _files_now(base_model)
    return _read(str(base_model.id), changed) if changed else None


def rewritten_by_template(base_model: BaseModel) -> frozenset[str]:
    """Which conversations a training makes an example of each answer of: "plain" ones, or those with "reasoning".

    Empty where that cannot be told here. Of several templates, that for conversations without tools counts.
    """
    changed = _files_now(base_model)
    return _rewritten(str(base_model.id), changed) if changed else frozenset()


def template_of(base_model: BaseModel) -> str:
    """The chat template for conversations without tools, empty where it is not on this machine."""
    changed = _files_now(base_model)
    return _first(changed) if changed else ""


def _files_now(base_model: BaseModel) -> tuple[tuple[Path, int], ...]:
    """The files with templates, each with when it changed; none where they are not on this machine."""
    try:
        return tuple((path, path.stat().st_mtime_ns) for path in _files(Path(base_model.location)))
    except OSError:
        return ()


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


@lru_cache(maxsize=REMEMBERED)
def _rewritten(base_model: str, files: tuple[tuple[Path, int], ...]) -> frozenset[str]:
    try:
        template = _templates(files[0][0])[0]
        kinds = {"plain": False, "reasoning": True}
        return frozenset(kind for kind, has in kinds.items() if rewrites_earlier_turns(template, reasoning=has))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return frozenset()


@lru_cache(maxsize=REMEMBERED)
def _first(files: tuple[tuple[Path, int], ...]) -> str:
    try:
        return _templates(files[0][0])[0]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return ""


def _templates(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    if path.name != CONFIG:
        return [text]
    found: Any = json.loads(text).get("chat_template") or []
    return [found] if isinstance(found, str) else [named["template"] for named in found]
