"""Find or install a Chromium for the browser tests and the screenshots, and print its path.

The order is CHROMIUM_PATH, the system's, apt's if this runs as root, Playwright's download. The path is saved in
var/chromium-path.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REMEMBERED = ROOT / "var" / "chromium-path"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main() -> int:
    path = find() or install()
    if path is None:
        print(
            "Chromium was not found and could not be installed. Install it (on Debian: apt-get install chromium; "
            "elsewhere: .venv/bin/playwright install --with-deps chromium), or set CHROMIUM_PATH to its path.",
            file=sys.stderr,
        )
        return 1
    REMEMBERED.parent.mkdir(parents=True, exist_ok=True)
    REMEMBERED.write_text(f"{path}\n")
    print(path)
    return 0


def find() -> str | None:
    """The first Chromium that runs on this machine, or None."""
    return next((path for path in _candidates() if _runs(path)), None)


def install() -> str | None:
    """Install Chromium from apt if allowed, otherwise with Playwright. Returns None if neither gives one that runs."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
            subprocess.run(["apt-get", "--quiet=2", *arguments], env=environment, stdout=sys.stderr)
        # On Ubuntu this package only installs a snap, which does not run in a container.
        if path := find():
            return path
    dependencies = ["--with-deps"] if os.geteuid() == 0 else []
    subprocess.run([sys.executable, "-m", "playwright", "install", *dependencies, "chromium"], stdout=sys.stderr)
    return find()


def launch_arguments() -> list[str]:
    """Chromium's arguments: no background traffic, and no sandbox for root, who cannot have one."""
    quiet = ["--disable-background-networking", "--disable-component-update", "--no-first-run"]
    return [*quiet, *(["--no-sandbox"] if os.geteuid() == 0 else [])]


def _candidates() -> Iterator[str]:
    if path := os.environ.get("CHROMIUM_PATH"):
        yield path
    if REMEMBERED.exists():
        yield REMEMBERED.read_text().strip()
    for name in NAMES:
        if path := shutil.which(name):
            yield path
    downloads = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", Path.home() / ".cache" / "ms-playwright"))
    for found in sorted(downloads.glob("chromium-*/chrome-linux*/chrome"), reverse=True):
        yield str(found)


def _runs(path: str) -> bool:
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


if __name__ == "__main__":
    sys.exit(main())
