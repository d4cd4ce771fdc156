"""Several servers behind one endpoint, which hold the same adapters and are asked in turn."""

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from serving.backends.target import Call, OpenAITarget, Refused, Target
from serving.backends.vllm.server import Server

AVOIDED_SECONDS = 5.0
"""How long a server that was away is asked only after the others."""


class Replicas:
    """The servers, and when each was last away."""

    def __init__(self, servers: Sequence[Server], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._servers = tuple(servers)
        self._clock = clock
        self._turn = itertools.count()
        self._away_at: dict[str, float] = {}

    def in_turn(self) -> list[Server]:
        """All of them, beginning with the next; those that were away lately come last."""
        first = next(self._turn) % len(self._servers)
        since = self._clock() - AVOIDED_SECONDS
        turned = (*self._servers[first:], *self._servers[:first])
        return sorted(turned, key=lambda server: self._away_at.get(server.url, since) > since)

    def was_away(self, server: Server) -> None:
        """Ask it last for a while."""
        self._away_at[server.url] = self._clock()


class ReplicatedTarget(Target):
    """A model that any of the servers answers. One for each request: every call goes to the next server."""

    may_repeat: ClassVar[bool] = True

    def __init__(self, replicas: Replicas, model: str) -> None:
        self.model = model
        self._replicas = replicas
        self._to_ask = replicas.in_turn()
        self._asked = self._to_ask[0]

    def call(self, path: str, document: Mapping[str, Any], *, request_id: str = "", tenant: str = "") -> Call:
        self._to_ask = self._to_ask or self._replicas.in_turn()
        self._asked = self._to_ask.pop(0)
        return self._now().call(path, document, request_id=request_id, tenant=tenant)

    def has_another(self, *, was_away: bool) -> bool:
        if was_away:
            self._replicas.was_away(self._asked)
        return bool(self._to_ask)

    def cancelling(self, request_id: str) -> Call | None:
        return self._now().cancelling(request_id)

    def refused(self, status: int, headers: Mapping[str, str], body: bytes) -> Refused:
        return self._now().refused(status, headers, body)

    def _now(self) -> OpenAITarget:
        return self._asked.target(self.model)
