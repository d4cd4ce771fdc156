"""How a file is read by options of an earlier version, and what to do where they do not fit."""

from typing import Any

from corpora.ingest.contracts import Options
from corpora.models import Upload
from corpora.versions.last_options import NOT_BY_OPTIONS, READ_BY, kept_from


def afresh() -> dict[str, Any]:
    """The changes of options with which everything about how a file is read is detected."""
    defaults = Options()
    return {name: getattr(defaults, name) for name in READ_BY}


def kept_options(upload: Upload) -> str:
    """Which options on how the file is read came from which version; empty if none did."""
    return kept_from(upload.options_from, upload.options) if upload.options_from is not None else ""


def does_not_fit(upload: Upload) -> bool:
    """Whether options of an earlier version are set and none of the first rows can be read."""
    found = upload.inspection
    problems = [problem for problem in found.get("problems", ()) if problem["code"] not in NOT_BY_OPTIONS]
    return bool(problems and not found.get("rows") and kept_options(upload))


def inspection_of(upload: Upload) -> dict[str, Any]:
    """The inspection. Where kept options do not fit, its first problem says where they came from and what to do."""
    found = dict(upload.inspection)
    if not does_not_fit(upload):
        return found
    first, *rest = found["problems"]
    names = ", ".join(f"`{name}`" for name in READ_BY if upload.options.get(name))
    text = f"{first['text']} {kept_options(upload)} To read it afresh, inspect it again with empty options: {names}."
    return found | {"problems": [first | {"text": text}, *rest]}
