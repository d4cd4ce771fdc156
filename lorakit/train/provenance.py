"""Describes what a training's result depends on besides its specification: rows, code, libraries and device."""

import contextlib
import hashlib
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from lorakit.contracts import RowsRecord
from lorakit.digest import file_sha256
from lorakit.rows import read_rows

SOURCE = Path(__file__).parents[1]
DISTRIBUTION = "adapter-portal"
LIBRARIES = ("torch", "transformers", "peft", "bitsandbytes", "accelerate", "safetensors", "tokenizers")


def describe_rows(path: Path) -> RowsRecord:
    """The number of rows and the hash of their ids in a file of chat rows. Raises `RunError` for an invalid line."""
    digest, count = hashlib.sha256(), 0
    for row in read_rows(path, area="training"):
        digest.update(f"{row.id}\n".encode())
        count += 1
    return RowsRecord(count=count, ids_sha256=digest.hexdigest())


def describe_code() -> dict[str, str]:
    """The hash of lorakit's source, with the commit if it is a checkout and the version if it is installed."""
    digest = hashlib.sha256()
    for path in sorted(SOURCE.rglob("*.py")):
        digest.update(f"{path.relative_to(SOURCE)} {file_sha256(path)}\n".encode())
    code = {"sha256": digest.hexdigest()}
    with contextlib.suppress(PackageNotFoundError):
        code["version"] = version(DISTRIBUTION)
    if commit := _commit():
        code["commit"] = commit
    return code


def _commit() -> str:
    """The checkout's commit. The source may have changed since; the hash shows that."""
    command = ["git", "-C", str(SOURCE), "rev-parse", "--verify", "HEAD"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip() if found.returncode == 0 else ""


def describe_versions() -> dict[str, str]:
    """Versions of Python and of the libraries that affect the numbers."""
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


def describe_processor() -> str:
    """The processor's name; only the same processor can be expected to give the same numbers."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
