"""What is written in C keeps to its memory, whatever stands in a block, and is told when it has not been built."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from corpora.ingest import native

ROOT = Path(__file__).resolve().parents[3]


def test_damaged_blocks_are_read_without_touching_memory_beside(tmp_path: Path) -> None:
    library = tmp_path / "watched.so"
    watched = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    subprocess.run(["cc", "-std=c11", *watched, "-shared", "-fPIC", "-o", library, *native.SOURCES], check=True)
    runtime = subprocess.run(["cc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    done = subprocess.run(
        [sys.executable, "-m", "tests.corpora.ingest.native_damage", library],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "LD_PRELOAD": runtime.stdout.strip(),
            # Python keeps some memory to its end, and hands out parts of larger pieces unless told otherwise.
            "ASAN_OPTIONS": "detect_leaks=0",
            "PYTHONMALLOC": "malloc",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4_000:]


def test_a_library_of_other_sources_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "plain.c"
    source.write_text("/* changed */")
    monkeypatch.setattr(native, "SOURCES", [source])
    with pytest.raises(ImportError, match="make setup"):
        native.library.__wrapped__()
