"""The inner loops of the check, in C: `make setup` builds them by `scripts/native.py` for the environment in use."""

import ctypes
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path

SOURCES = sorted(Path(__file__).parent.glob("*.c"))


def library_path() -> Path:
    """Where the library of these very sources is: one of other sources is as good as none."""
    digest = sha256(b"".join(source.read_bytes() for source in SOURCES)).hexdigest()
    return Path(sys.prefix) / "lib" / f"ingest-{digest[:16]}.so"


@cache
def library() -> ctypes.CDLL:
    """The library; raises ImportError if it has not been built."""
    path = library_path()
    if not path.exists():
        raise ImportError("The check's inner loops have not been built. Run “make setup”, or scripts/native.py.")
    return ctypes.CDLL(str(path))
