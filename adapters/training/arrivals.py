"""What higher floors do when a version has been trained. They register here; this floor knows none of them.

In an `AppConfig.ready`: `register(evaluate_new_version)`. It is called in the transaction that creates the version, so
it only writes rows, and raises nothing.
"""

from collections.abc import Callable

from adapters.models import AdapterVersion

Listener = Callable[[AdapterVersion], None]

_listeners: list[Listener] = []


def register(listener: Listener) -> None:
    """Call `listener` with each new version."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell(version: AdapterVersion) -> None:
    """Call every listener."""
    for listener in _listeners:
        listener(version)
