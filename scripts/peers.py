"""Programs that cannot share the project's environment, each in one of its own under var/peers, made the first time.

`python scripts/peers.py awscli` makes one ahead of its use.
"""

import hashlib
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOMES = ROOT / "var" / "peers"
PEERS = {
    # It pins a botocore of its own.
    "awscli": ("awscli==1.46.3",),
    "datasets": ("datasets==5.2.0",),
    # Its dependencies cap several of ours.
    "sagemaker": ("--no-deps", "--require-hashes", "-r", str(ROOT / "requirements" / "sagemaker.txt")),
    "trl": ("trl==1.16.0",),
}
ON_TOP = frozenset({"sagemaker", "trl"})
"""Those that use the project's packages where they have none of their own: one torch for both."""


def peer_python(name: str) -> Path:
    """The interpreter of the environment of `name`, made anew when what it should hold has changed."""
    home = HOMES / name
    python = home / "bin" / "python"
    wanted = _fingerprint(name)
    ready = home / "ready"
    if not ready.exists() or ready.read_text() != wanted:
        print(f"Installing {name} into {home}", flush=True)
        venv.create(home, with_pip=True, clear=True)
        if name in ON_TOP:
            # A .pth file adds the project's packages behind the peer's.
            folder = home / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
            (folder / "project.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *PEERS[name]]
        subprocess.run(pip, check=True)
        ready.write_text(wanted)
    return python


def _fingerprint(name: str) -> str:
    words = [Path(word).read_text(encoding="utf-8") if word.endswith(".txt") else word for word in PEERS[name]]
    return hashlib.sha256("\0".join(words).encode()).hexdigest()


if __name__ == "__main__":
    for peer in sys.argv[1:]:
        peer_python(peer)
