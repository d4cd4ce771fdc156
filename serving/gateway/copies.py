"""Asks the other version of a trial what a caller was answered, once they have their answer. Nobody waits for it."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import UUID

import msgspec
import structlog

from serving.gateway.body import Ask
from serving.gateway.database import Copy, Directory, Model
from serving.gateway.errors import GatewayError
from serving.gateway.forward import Begun
from serving.gateway.journal import Journal
from serving.gateway.record import Tally
from serving.gateway.trial import KEPT

log = structlog.get_logger(__name__)

AT_ONCE = 2
"""Copies under way in one process. A request that comes meanwhile is not copied, so that callers keep the endpoint."""

Open = Callable[[Model, dict[str, Any], Tally], AbstractAsyncContextManager[Begun]]
"""Forwards a chat to a model."""


class Copies:
    """Copies requests to the version that did not answer, and keeps both answers. What fails is no caller's trouble."""

    def __init__(self, directory: Directory, journal: Journal, open_: Open) -> None:
        self._directory = directory
        self._journal = journal
        self._open = open_
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, asked: Tally, ask: Ask) -> None:
        """Copy a request that was answered, if there is room."""
        if asked.other is None or asked.said is None or asked.status != 200 or len(self._tasks) >= AT_ONCE:
            return
        task = asyncio.create_task(self._copy(asked, asked.other, "".join(asked.said), ask))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _copy(self, asked: Tally, other: Model, said: str, ask: Ask) -> None:
        trial_id = str(asked.trial_id)
        try:
            if not await self._directory.wants_copy(asked.caller, trial_id, asked.caller_mark):
                return
            own = Tally(caller=asked.caller, model=other)
            text, error = await self._answer(own, other, ask)
            # The endpoint computed it, so it is metered like any other request.
            await self._journal.append(own.record())
            is_shown_live = other.split is None
            copy = Copy(
                trial_id=UUID(trial_id),
                caller=asked.caller_mark,
                messages=[{name: message[name] for name in KEPT} for message in ask.document["messages"]],
                live_text=said if is_shown_live else text,
                candidate_text=text if is_shown_live else said,
                error_code=error,
            )
            await self._directory.keep_copy(asked.caller, copy)
        except (GatewayError, OSError) as failure:
            log.warning("request_not_copied", error=type(failure).__name__)

    async def _answer(self, own: Tally, other: Model, ask: Ask) -> tuple[str, str]:
        """The other version's text, or why there is none."""
        whole = {name: value for name, value in ask.for_endpoint().items() if name not in ("stream", "stream_options")}
        try:
            async with self._open(other, whole, own) as begun:
                answer = msgspec.json.decode(await begun.body())
                own.count(answer.get("usage"))
                text = str(answer["choices"][0]["message"]["content"] or "")
        except GatewayError as error:
            own.end(error.status, error.code)
            return "", error.code
        except (ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError):
            own.end(502, "endpoint_error")
            return "", "endpoint_error"
        own.end(200)
        return text, ""
