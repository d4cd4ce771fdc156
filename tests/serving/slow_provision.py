"""A cloud that makes, changes and deletes an endpoint in a few looks."""

from collections.abc import Iterator

from serving.backends.base import Waiting
from serving.backends.errors import EndpointError


class SlowProvision:
    """It takes `looks` in all; `trouble` is raised instead. `done` are the verbs that came to their end."""

    def __init__(self, looks: int = 1) -> None:
        self.looks = looks
        self.trouble: EndpointError | None = None
        self.done: list[str] = []

    def create(self) -> Iterator[str]:
        yield from self._work("create")

    def update(self) -> Iterator[str]:
        yield from self._work("update")

    def delete(self) -> Iterator[str]:
        yield from self._work("delete")

    def _work(self, verb: str) -> Iterator[str]:
        yield f"Beginning to {verb}"
        if self.trouble:
            raise self.trouble
        while self.looks:
            self.looks -= 1
            yield Waiting("The endpoint is Creating")
        self.done.append(verb)
