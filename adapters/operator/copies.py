"""The copy of a base model in S3 that SageMaker reads."""

from pathlib import Path

from adapters.base_models.clouds import bucket_and_prefix
from adapters.base_models.sources.wanted import is_wanted
from storage.backends.s3_folders import sizes
from storage.errors import StorageUnavailable

NAMED = 3
"""Files that are named of those that differ."""


def differences(folder: Path, uri: str) -> str:
    """What the copy below `uri` lacks of the files in `folder`, in words; empty if it has all, by name and size."""
    try:
        there = sizes(*bucket_and_prefix(uri))
    except (StorageUnavailable, FileNotFoundError):
        return f"S3 did not list {uri}. Check its name, and whether the worker’s role may list it."
    here = {str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    differ = sorted(name for name, size in here.items() if is_wanted(name) and there.get(name) != size)
    # What only the portal reads.
    differ = [name for name in differ if name != "base.json"]
    if not differ:
        return ""
    more = f" and {len(differ) - NAMED} more" if len(differ) > NAMED else ""
    return f"Its copy in S3 lacks {', '.join(differ[:NAMED])}{more}, or has it in another size. Copy the folder again."
