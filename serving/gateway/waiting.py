"""Holds requests while their endpoint is away or has not got their adapter back, so that a restart fails none."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from uuid import UUID

HELD_SECONDS = 15.0
"""From the first failure on. The reconciler, which looks every ten seconds, puts lost adapters back within it."""

MOST_HELD = 512
MOST_HELD_OF_TENANT = 256
"""One tenant whose adapter never comes back must leave places to the others."""

MOST_LOST = 2
"""Endpoints that may die under the same request: it may be what kills them."""

SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 1.0


class WaitingRoom:
    """Places of one process for requests that wait."""

    def __init__(self) -> None:
        self._held: Counter[UUID] = Counter()

    @contextlib.contextmanager
    def visit(self, tenant_id: UUID, *, may_repeat: bool) -> Iterator["Visit"]:
        """One request, which takes a place only once it has to wait, and never where it may not."""
        visit = Visit(self, tenant_id, may_repeat=may_repeat)
        try:
            yield visit
        finally:
            visit.leave()

    def enter(self, tenant_id: UUID) -> bool:
        """Take a place. False where none is left."""
        if self._held.total() >= MOST_HELD or self._held[tenant_id] >= MOST_HELD_OF_TENANT:
            return False
        self._held[tenant_id] += 1
        return True

    def leave(self, tenant_id: UUID) -> None:
        """Give the place back."""
        self._held[tenant_id] -= 1
        if not self._held[tenant_id]:
            del self._held[tenant_id]

    @property
    def held(self) -> int:
        """How many wait now."""
        return self._held.total()


class Visit:
    """One request and its failures."""

    def __init__(self, room: WaitingRoom, tenant_id: UUID, *, may_repeat: bool) -> None:
        self._room = room
        self._tenant_id = tenant_id
        self._may_repeat = may_repeat
        self._since: float | None = None
        self._lost = 0

    async def may_try_again(self, *, was_lost: bool = False, at_once: bool = False) -> bool:
        """After a failure: wait a little, then True; False at once where the request has to end.

        `was_lost`: the endpoint had the request and went away with it. `at_once`: another server is there to be asked.
        """
        self._lost += was_lost
        if not self._may_repeat or self._lost >= MOST_LOST:
            return False
        if at_once:
            return True
        if self._since is None:
            if not self._room.enter(self._tenant_id):
                return False
            self._since = time.monotonic()
        waited = time.monotonic() - self._since
        if waited >= HELD_SECONDS:
            return False
        # The longer it has been away, the less often it is asked: a hundred callers may be waiting.
        await asyncio.sleep(min(max(SHORTEST_PAUSE, waited / 4), LONGEST_PAUSE))
        return True

    def leave(self) -> None:
        """Give the place back, if one was taken."""
        if self._since is not None:
            self._room.leave(self._tenant_id)
