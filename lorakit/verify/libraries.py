"""The versions of what a verdict is computed with."""

import platform
from importlib.metadata import PackageNotFoundError, version

LIBRARIES = ("numpy", "cryptography")


def libraries() -> dict[str, str]:
    """{name: version}, of Python too."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
