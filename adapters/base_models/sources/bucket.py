"""Base models in S3, as their folder was uploaded."""

from pathlib import Path

from adapters.base_models.sources.errors import cannot_fetch
from adapters.base_models.sources.room import Expect, need_room
from adapters.base_models.sources.wanted import is_wanted
from storage.backends.s3_folders import download, sizes
from storage.errors import StorageUnavailable


def fetch(bucket: str, prefix: str, folder: Path, expect: Expect) -> dict[str, str]:
    """Download what is below the prefix into the folder. Returns facts of it. Raises PortalError."""
    place = f"s3://{bucket}/{prefix}"
    try:
        files = {name: size for name, size in sizes(bucket, prefix).items() if is_wanted(name)}
        if "config.json" not in files:
            raise cannot_fetch(f"There is no config.json directly below {place}.")
        need_room(folder, sum(files.values()), expect)
        download(bucket, prefix, sorted(files), folder)
    except (StorageUnavailable, FileNotFoundError):
        text = f"S3 did not give {place}. Check its name, and whether this machine’s role may list and read it."
        raise cannot_fetch(text) from None
    return {"source": place}
