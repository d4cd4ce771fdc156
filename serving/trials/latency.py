"""How slow the live version usually is. The floor that meters registers how to find out; this floor knows no usage.

In an `AppConfig.ready`: `register(usual_p95_ms)`, where `usual_p95_ms(version_id)` returns milliseconds or None.
"""

from collections.abc import Callable
from uuid import UUID

Finder = Callable[[UUID], float | None]

_finders: list[Finder] = []


def register(finder: Finder) -> None:
    """Ask `finder` for the usual 95th percentile of a version's latency."""
    if finder not in _finders:
        _finders.append(finder)


def usual_p95_ms(version_id: UUID) -> float | None:
    """None where too little was answered to know."""
    return next((found for finder in _finders if (found := finder(version_id)) is not None), None)
