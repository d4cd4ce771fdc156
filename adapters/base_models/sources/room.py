"""Whether a download fits on the disk."""

import shutil
from collections.abc import Callable
from pathlib import Path

from django.template.defaultfilters import filesizeformat

from adapters.base_models.sources.errors import cannot_fetch

SPARE_BYTES = 2**30
"""What has to be left of the disk: a full one stops the site."""


Expect = Callable[[int], object]
"""Is told how many bytes will come."""


def nobody(_: int) -> None:
    """Tells nobody."""


def need_room(folder: Path, size: int, expect: Expect = nobody, *, there: int = 0) -> None:
    """Raise PortalError unless so many bytes fit in the folder, and some are left; `there` are in it already."""
    free = shutil.disk_usage(folder).free
    missing = max(0, size - there)
    if missing + SPARE_BYTES > free:
        wanted, left = filesizeformat(missing), filesizeformat(free)
        raise cannot_fetch(f"It takes {wanted}, and the disk has {left} left, of which 1 GB has to stay free.")
    expect(size)
