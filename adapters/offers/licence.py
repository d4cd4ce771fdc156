"""The licence that came with a base model's files."""

from pathlib import Path

from adapters.models import BaseModel

NAMES = ("LICENSE*", "LICENCE*", "NOTICE*")
MOST_CHARACTERS = 200_000


def has_licence_text(base_model: BaseModel) -> bool:
    return bool(_files(base_model))


def licence_text(base_model: BaseModel) -> str:
    """The text of licence and notice; empty where the files have none, or are on another machine."""
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in _files(base_model)]
    return "\n\n".join(text.strip() for text in texts)[:MOST_CHARACTERS]


def _files(base_model: BaseModel) -> list[Path]:
    folder = Path(base_model.location)
    if not base_model.location or not folder.is_dir():
        return []
    return [path for pattern in NAMES for path in sorted(folder.glob(pattern)) if path.is_file()]
