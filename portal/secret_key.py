"""The embedded site's own signing key."""

import os
import secrets
from pathlib import Path


def local_secret_key(var: Path) -> str:
    """The key in `var/run/secret-key` (mode 0600), created by the first call."""
    path = var / "run" / "secret-key"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii")
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        key = secrets.token_urlsafe(48)
        file.write(key)
    return key
