"""SmolLM2-135M-Instruct, a small model of real English, from the package that ships it."""

import subprocess
from pathlib import Path

from scripts.peers import peer_python

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "var" / "bench" / "smollm2"


def smollm2() -> Path:
    """The model's folder, which is made on first use."""
    if not (FOLDER / "config.json").is_file():
        python = peer_python("smollm2")
        site = subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            check=True,
            capture_output=True,
            text=True,
        )
        [file] = Path(site.stdout.strip()).rglob("*.gguf")
        subprocess.run([python, ROOT / "bench" / "convert_gguf.py", file, FOLDER], check=True)
    return FOLDER
