"""Base models in llama.cpp's format, which `lorakit.gguf` converts in a process of its own."""

import subprocess
import sys
from pathlib import Path

from django.conf import settings

from adapters.base_models.sources.errors import cannot_fetch
from adapters.base_models.sources.room import need_room

GROWTH = 4
"""Weights of four bits become 16."""


def fetch(file: Path, folder: Path) -> dict[str, str]:
    """Convert the file into the folder. Returns facts of it. Raises PortalError with what the conversion said last."""
    if not file.is_file():
        raise cannot_fetch(f"There is no file {file}.")
    need_room(folder, GROWTH * file.stat().st_size)
    command = [sys.executable, "-m", "lorakit.gguf", str(file.resolve()), str(folder.resolve())]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        raise cannot_fetch(f"{file.name} could not be converted: {last[:300]}")
    return {"source": f"{file.name}, converted"}
