"""Build what is written in C (see `corpora.ingest.native`) into the environment that runs this.

`CC` names another compiler.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from corpora.ingest.native import SOURCES, library_path

FLAGS = ("-std=c11", "-O3", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")


def main() -> None:
    """Build the library unless it is there."""
    target = library_path()
    compiler = os.environ.get("CC", "cc")
    if target.exists():
        return
    if not shutil.which(compiler):
        sys.exit(f"A C compiler ({compiler}) is needed. On Debian or Ubuntu: apt-get install gcc libc6-dev")
    unfinished = target.with_suffix(f".{os.getpid()}")
    subprocess.run([compiler, *FLAGS, "-o", unfinished, *SOURCES], check=True)
    unfinished.rename(target)
    for older in target.parent.glob("ingest-*.so"):
        if older != target:
            older.unlink()


if __name__ == "__main__":
    main()
