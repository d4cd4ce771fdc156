"""Ends the work for a caller who has gone away."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

from serving.gateway.errors import ClientClosed

T = TypeVar("T")


async def unless_gone(
    work: Coroutine[Any, Any, T],
    receive: Receive,
    *,
    before_giving_up: Callable[[asyncio.Task[T]], Awaitable[None]] | None = None,
) -> T:
    """What the work returns or raises.

    As soon as the caller has gone away, the work is cancelled, so that what it has open is closed, and ClientClosed is
    raised. `before_giving_up` may wait for the work a little first.
    """
    working, gone = asyncio.create_task(work), asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        if before_giving_up is not None:
            await before_giving_up(working)
        raise ClientClosed
    finally:
        gone.cancel()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    """Returns once the caller has gone away."""
    while (await receive())["type"] != "http.disconnect":
        pass
