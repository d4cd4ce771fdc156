"""The environment of a child process that works on customers' data."""

import os

from django.conf import settings

PASSED_ON = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "TMPDIR")


def child_environment() -> dict[str, str]:
    """The part of this process's environment that a child sees: no secrets, plus the path of our packages."""
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return passed_on | {"PYTHONPATH": str(settings.BASE_DIR)}
