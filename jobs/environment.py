"""The environment of a child process that runs our code on customers' data."""

import os

from django.conf import settings

PASSED_ON = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "TMPDIR")


def child_environment() -> dict[str, str]:
    """What such a process sees of this one's environment, none of its secrets; and where our packages are."""
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return passed_on | {"PYTHONPATH": str(settings.BASE_DIR)}
