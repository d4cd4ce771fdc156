"""Packs the function of deploy/aws/front.yaml: `python scripts/front.py` writes var/front.zip.

The archive holds `lorakit` as far as the front needs it, and three packages, for Lambda's Python and
processor, in the versions of requirements/base.txt. boto3 is there already.
"""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "var" / "front.zip"
PACKAGES = ("hyperscan", "msgspec", "numpy")
OWN = ("lorakit/__init__.py", "lorakit/strict_json.py", "lorakit/front", "lorakit/route")
PLATFORM = "x86_64-manylinux_2_28"
PYTHON = "3.11"
WHEN = (2026, 1, 1, 0, 0, 0)
"""Of every file, so that the same content gives the same archive."""


def locked(package: str) -> str:
    """The package in its locked version."""
    lock = (ROOT / "requirements" / "base.txt").read_text(encoding="utf-8")
    found = re.search(rf"^{package}==\S+", lock, re.MULTILINE)
    assert found is not None, package
    return found[0]


def own_files() -> list[Path]:
    """Our own modules, relative to the project's folder."""
    found = []
    for name in OWN:
        path = ROOT / name
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return [path.relative_to(ROOT) for path in found]


def pack(out: Path = OUT) -> Path:
    """Write the archive."""
    folder = out.parent / "front-packages"
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
    command += ["--target", str(folder), "--python-platform", PLATFORM, "--python-version", PYTHON]
    subprocess.run([*command, *map(locked, PACKAGES)], check=True)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for base, paths in ((ROOT, own_files()), (folder, packaged(folder))):
            for path in paths:
                entry = zipfile.ZipInfo(path.as_posix(), WHEN)
                entry.external_attr, entry.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
                archive.writestr(entry, (base / path).read_bytes())
    shutil.rmtree(folder)
    return out


def packaged(folder: Path) -> list[Path]:
    """Files of the packages, without their tests and caches."""
    found = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return [path for path in found if not {"tests", "__pycache__", "bin"} & {*path.parts}]


if __name__ == "__main__":
    written = pack()
    print(f"{written.relative_to(ROOT)}: {written.stat().st_size / 2**20:.1f} MB")
