"""State kept between starts: passwords, ports and addresses in use. Only its owner can read it."""

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_PASSWORDS = ("portal_owner", "portal_app", "valkey")


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in `path`; empty if the file does not exist."""
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return found if isinstance(found, dict) else {}


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Replace `path` atomically; its mode is 0600 from the first byte."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def load_passwords(path: Path) -> tuple[dict[str, str], bool]:
    """The services' passwords, and whether any of them was created by this call."""
    known = read_json(path)
    missing = [name for name in _PASSWORDS if name not in known]
    if missing:
        known |= {name: secrets.token_urlsafe(24) for name in missing}
        write_json(path, known)
    return {name: str(known[name]) for name in _PASSWORDS}, bool(missing)


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a file lock, so that two simultaneous starts do not both create a cluster."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
