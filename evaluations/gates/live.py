"""Which version of an adapter is live. The floor that serves registers how to find out; this floor knows no routes.

In an `AppConfig.ready`: `register(live_version)`, where `live_version(adapter_id)` returns a version or None.
"""

from collections.abc import Callable
from uuid import UUID

from adapters.models import AdapterVersion

Finder = Callable[[UUID], AdapterVersion | None]

_finders: list[Finder] = []


def register(finder: Finder) -> None:
    """Ask `finder` for the live version of an adapter."""
    if finder not in _finders:
        _finders.append(finder)


def live_version_of(adapter_id: UUID) -> AdapterVersion | None:
    """The version that answers under the adapter's model ID."""
    return next((found for finder in _finders if (found := finder(adapter_id)) is not None), None)
