"""Fetching a base model to a folder of this machine."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from adapters.base_models.names import check_name
from adapters.base_models.sources import bucket, gguf, hub
from adapters.base_models.sources.errors import cannot_fetch

HUB = re.compile(r"(?:hf://|https?://huggingface\.co/)(?P<repository>[\w.-]+/[\w.-]+?)(?:@(?P<revision>[\w./-]+))?/?")
BUCKET = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]+)/?(?P<prefix>.*)")
FACTS = "base.json"

Fetch = Callable[[Path], dict[str, str]]


def is_elsewhere(source: str) -> bool:
    """Whether that has to be fetched; anything else is a folder of this machine."""
    return "://" in source or source.endswith(".gguf")


def fetch(source: str, *, name: str, into: Path) -> Path:
    """Fetch s3://BUCKET/PREFIX, hf://OWNER/MODEL[@REVISION] or a GGUF file into a new folder below `into`.

    It is called `name`, by default as its source is, and has facts of it in base.json. A fetch that was broken off
    leaves nothing under that name; one from the hub goes on where it was. Raises PortalError.
    """
    begin, usual = _way(source)
    name = name or usual
    check_name(name)
    folder, partial = into / name, into / f".{name}"
    if folder.exists():
        raise cannot_fetch(f"There are files in {folder} already. Add that folder, or choose another name.")
    partial.mkdir(parents=True, exist_ok=True)
    said = begin(partial)
    shutil.rmtree(partial / ".cache", ignore_errors=True)
    _note(partial / FACTS, {"name": name} | said)
    partial.rename(folder)
    return folder


def _way(source: str) -> tuple[Fetch, str]:
    """How to fetch that, and what it is called."""
    if found := HUB.fullmatch(source):
        repository, revision = found["repository"], found["revision"] or ""
        return lambda folder: hub.fetch(repository, revision, folder), _slug(repository.rpartition("/")[2])
    if found := BUCKET.fullmatch(source):
        place, prefix = found["bucket"], found["prefix"].strip("/")
        return lambda folder: bucket.fetch(place, prefix, folder), _slug(prefix.rpartition("/")[2] or place)
    if "://" not in source:
        return lambda folder: gguf.fetch(Path(source), folder), _slug(Path(source).stem)
    raise cannot_fetch(f"{source} is no address that is known here: s3://BUCKET/PREFIX or hf://OWNER/MODEL.")


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _note(path: Path, facts: dict[str, str]) -> None:
    """What the files say of themselves goes before what their source says."""
    said = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if isinstance(said, dict):
        text = json.dumps(facts | said | {"name": facts["name"]}, ensure_ascii=False, indent=2)
        path.write_text(f"{text}\n", encoding="utf-8")
