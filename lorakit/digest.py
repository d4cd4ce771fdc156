"""Content hashes."""

import hashlib
from pathlib import Path


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def base_sha256(directory: Path) -> str:
    """A hash of the base's configuration, tokenizer and weights."""
    digest = hashlib.sha256()
    for path in sorted(directory.iterdir()):
        if path.suffix == ".safetensors" or path.name in ("config.json", "tokenizer.json"):
            digest.update(f"{path.name} {file_sha256(path)}\n".encode())
    return digest.hexdigest()
