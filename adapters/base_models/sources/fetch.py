"""Fetching a base model to a folder of this machine."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from adapters.base_models.folders import longest
from adapters.base_models.names import check_name
from adapters.base_models.sources import bucket, gguf, hub
from adapters.base_models.sources.errors import cannot_fetch
from adapters.base_models.sources.room import Expect, nobody

HUB = re.compile(r"(?:hf://|https?://huggingface\.co/)(?P<repository>[\w.-]+/[\w.-]+?)(?:@(?P<revision>[\w./-]+))?/?")
BUCKET = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]+)/?(?P<prefix>.*)")
FACTS = "base.json"

Fetch = Callable[[Path, Expect], dict[str, str]]


def is_elsewhere(source: str) -> bool:
    """Whether that has to be fetched; anything else is a folder of this machine."""
    return "://" in source or source.endswith(".gguf")


def usual_name(source: str) -> str:
    """What a base model from there is called. Raises PortalError for an address that is not known."""
    return _way(source)[1]


def unfinished(name: str, into: Path) -> Path:
    """Where a base model of that name is kept while it is fetched."""
    return into / f".{name}"


def fetch(source: str, *, name: str, into: Path, expect: Expect = nobody) -> Path:
    """Fetch s3://BUCKET/PREFIX, hf://OWNER/MODEL[@REVISION] or a GGUF file into a new folder below `into`.

    It is called `name`, by default as its source is, and has facts of it in base.json. A fetch that was broken off
    leaves nothing under that name; one from the hub goes on where it was. `expect` is told how many bytes will come.
    Raises PortalError.
    """
    begin, usual = _way(source)
    name = name or usual
    check_name(name)
    folder, partial = into / name, unfinished(name, into)
    if folder.exists():
        raise cannot_fetch(f"There are files in {folder} already. Add that folder, or choose another name.")
    partial.mkdir(parents=True, exist_ok=True)
    # A source may say more than is kept of it; what a person wrote in the files is refused instead.
    said = {fact: text[: longest(fact)] for fact, text in begin(partial, expect).items()}
    shutil.rmtree(partial / ".cache", ignore_errors=True)
    _note(partial / FACTS, {"name": name} | said)
    partial.rename(folder)
    return folder


def _way(source: str) -> tuple[Fetch, str]:
    """How to fetch that, and what it is called."""
    if found := HUB.fullmatch(source):
        repository, revision = found["repository"], found["revision"] or ""
        return lambda folder, expect: hub.fetch(repository, revision, folder, expect), _slug(
            repository.rpartition("/")[2]
        )
    if found := BUCKET.fullmatch(source):
        place, prefix = found["bucket"], found["prefix"].strip("/")
        return lambda folder, expect: bucket.fetch(place, prefix, folder, expect), _slug(
            prefix.rpartition("/")[2] or place
        )
    if "://" not in source:
        return lambda folder, _: gguf.fetch(Path(source), folder), _slug(Path(source).stem)
    raise cannot_fetch(f"{source} is no address that is known here: s3://BUCKET/PREFIX or hf://OWNER/MODEL.")


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _note(path: Path, facts: dict[str, str]) -> None:
    """What the files say of themselves goes before what their source says."""
    said = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if isinstance(said, dict):
        text = json.dumps(facts | said | {"name": facts["name"]}, ensure_ascii=False, indent=2)
        path.write_text(f"{text}\n", encoding="utf-8")
