"""What the folder of a base model says of it, and what is wrong with it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from adapters.base_models.shapes import count_parameters, damage_of
from adapters.models import BaseModel
from lorakit.digest import base_sha256
from rest.errors import PortalError

CONFIG, TOKENIZER, TEMPLATE = "config.json", "tokenizer.json", "chat_template.jinja"
FACTS = "base.json"
"""What the other files don't tell: `name`, `title`, `description`, `licence` and `source`, each a text."""

DESCRIBED = ("name", "title", "description", "licence", "source")

bad_folder = partial(PortalError, code="base_model:bad_folder", field="folder")


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A base model on disk, in the format of Hugging Face's `save_pretrained`. `described` is what FACTS holds."""

    path: Path
    architecture: str
    parameters: int
    context_length: int
    is_synthetic: bool
    described: dict[str, str]

    @cached_property
    def sha256(self) -> str:
        """Of configuration, tokenizer and weights; takes a second for each gigabyte or so."""
        return base_sha256(self.path)


def read_folder(path: Path) -> Folder:
    """Read and check a folder. Raises PortalError with everything that is wrong with it."""
    if not (path / CONFIG).is_file():
        raise bad_folder(f"There is no {CONFIG} in {path}. Choose the folder that save_pretrained wrote.")
    config = _json(path / CONFIG)
    text_config = config.get("text_config", config)
    context: Any = text_config.get("max_position_embeddings") if isinstance(text_config, dict) else None
    described = _json(path / FACTS) if (path / FACTS).is_file() else {}
    said = {name: str(described.get(name, "")) for name in DESCRIBED}
    architectures = config.get("architectures")
    architecture = str(architectures[0]) if isinstance(architectures, list) and architectures else ""
    wrong = [
        *_wrong(path, config, context),
        *_too_long(FACTS, said),
        *_too_long(CONFIG, {"architecture": architecture}),
    ]
    if wrong:
        raise bad_folder(" ".join(wrong))
    return Folder(
        path=path,
        architecture=architecture,
        parameters=count_parameters(path),
        context_length=int(context),
        is_synthetic=(path / "build.json").is_file(),
        described=said,
    )


def longest(fact: str) -> int | None:
    """How many characters that column of a base model holds; None if any number."""
    found: int | None = BaseModel._meta.get_field(fact).max_length  # type: ignore[union-attr]
    return found


def beyond_limits(said: Mapping[str, str]) -> Iterator[tuple[str, int, int]]:
    """What is too long for its column: the column, its length and the limit."""
    for fact, text in said.items():
        limit = longest(fact)
        if limit is not None and len(text) > limit:
            yield fact, len(text), limit


def check_lengths(given: Mapping[str, str]) -> None:
    """Raises PortalError base_model:too_long with the `field`, a column, whose text is too long for it."""
    for fact, length, limit in beyond_limits(given):
        text = f"The {fact.replace('_', ' ')} has {length} characters. Use at most {limit}."
        raise PortalError(text, code="base_model:too_long", field=fact)


def _too_long(file: str, said: dict[str, str]) -> Iterator[str]:
    for fact, length, limit in beyond_limits(said):
        yield f"The {fact} in {file} has {length} characters; at most {limit} are kept."


def _wrong(path: Path, config: dict[str, Any], context: Any) -> list[str]:
    found = []
    if not isinstance(context, int) or context < 1:
        found.append(f"{CONFIG} has no max_position_embeddings, the longest context in tokens.")
    if "auto_map" in config:
        found.append("The model needs code of its own, which is never run here. Choose one that transformers has.")
    if not list(path.glob("*.safetensors")):
        pickled = list(path.glob("*.bin")) or list(path.glob("*.pt"))
        why = "Its weights are pickled: save them again as safetensors." if pickled else "It has no safetensors files."
        found.append(why)
    found += filter(None, (damage_of(file) for file in sorted(path.glob("*.safetensors"))))
    if not (path / TOKENIZER).is_file():
        found.append(f"It has no {TOKENIZER}.")
    if not _has_template(path):
        found.append(f"Its tokenizer has no chat template. Choose an instruct model, or add {TEMPLATE}.")
    return found


def _has_template(path: Path) -> bool:
    if (path / TEMPLATE).is_file():
        return True
    settings = path / "tokenizer_config.json"
    return settings.is_file() and bool(_json(settings).get("chat_template"))


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise bad_folder(f"{path.name} is no JSON object.")
    return found
