"""The project's code as an input of the job: one archive, named by its hash, so that it is uploaded only once."""

import gzip
import hashlib
import io
import tarfile
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
ARCHIVE = "code.tar.gz"


@dataclass(frozen=True)
class Source:
    """The archive and the SHA-256 of its content."""

    archive: bytes
    sha256: str


@cache
def pack_source(packages: tuple[str, ...]) -> Source:
    """Pack the Python files of `packages`, folders of the project, with a requirements.txt of all they need but torch.

    The same files give the same bytes.
    """
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for package in packages:
            for path in sorted((ROOT / package).rglob("*.py")):
                _add(tar, str(path.relative_to(ROOT)), path.read_bytes())
        models = (ROOT / "requirements" / "ml.in").read_text(encoding="utf-8")
        _add(tar, "requirements.txt", f"{models}msgspec=={version('msgspec')}\n".encode())
    archive = gzip.compress(raw.getvalue(), mtime=0)
    return Source(archive, hashlib.sha256(archive).hexdigest())


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o644
    tar.addfile(member, io.BytesIO(content))
