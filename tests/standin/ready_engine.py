"""An engine for the stand-in's bases that is ready at once and answers nothing, where only their copies matter."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from standin.hosting import component


class ReadyEngine:
    has_ended = False
    pid = 0
    url = "http://127.0.0.1:9"

    def __init__(self, *_about: Any) -> None:
        self.loaded: set[str] = set()

    def start(self) -> None: ...

    def kill(self) -> None: ...

    def is_ready(self) -> bool:
        return True


@contextmanager
def engines_ready() -> Iterator[None]:
    """No processes for the bases that are made meanwhile."""
    with patch.object(component, "Engine", ReadyEngine):
        yield
