"""The gateway's application: OpenAI's endpoints over every tenant's aliases.

For each request: key -> tenant, name -> deployment in service (a router may choose it), forward, record. What is
recorded is on disk before the answer ends, and holds no text of either side.
"""

import asyncio
import contextlib
import errno
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import structlog
from django.conf import settings
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rest.tracing.spans import spans
from rest.tracing.start import stop_tracing
from serving.backends.target import Decoder, Target
from serving.gateway.body import Ask, check_prompt, read_ask
from serving.gateway.choosing import Choosing
from serving.gateway.copies import Copies
from serving.gateway.database import Caller, Directory, Model
from serving.gateway.errors import GatewayError, refuse
from serving.gateway.forward import Begun, forwarded, new_client, stop
from serving.gateway.hang_up import unless_gone
from serving.gateway.journal import Journal
from serving.gateway.ledger import Ledger
from serving.gateway.receipts import ReceiptWriter
from serving.gateway.record import Tally
from serving.gateway.relay import RelayedStream, relay
from serving.gateway.traced import Traced, choosing, note_caller
from serving.gateway.trial import answering
from serving.gateway.waiting import WaitingRoom

log = structlog.get_logger(__name__)

DISK_FULL_SECONDS = 30
STOP_SECONDS = 5.0
"""An endpoint that was told to stop sends what it has after its next step."""

Opening = contextlib.AbstractAsyncContextManager[Begun]

TOLD = {"busy_ms": "x-busy-ms", "queue_ms": "x-queue-ms", "cold_start": "x-cold-start"}
"""What our engine says of its own times, by the header of an answer that comes whole."""

KEPT_HEADERS = ("x-adapter-sha256",)


class Gateway:
    """The endpoints and what they share."""

    def __init__(self, ledger: Ledger) -> None:
        self._journal = Journal(ledger)
        self._directory = Directory()
        self._choosing = Choosing(self._directory)
        self._room = WaitingRoom()
        self._copies = Copies(self._directory, self._journal, self._chat)

    async def open(self) -> None:
        """Make the client, which belongs to the event loop."""
        self._client = new_client()

    async def close(self) -> None:
        """Let go of connections, threads and the ledger's file."""
        await self._copies.close()
        await self._client.close()
        await asyncio.to_thread(self._choosing.close)
        await asyncio.to_thread(self._directory.close)
        await self._journal.close()

    async def health(self, request: Request) -> Response:
        """Whether this process answers; of endpoints it says nothing."""
        return JSONResponse({"status": "ok"})

    async def models(self, request: Request) -> Response:
        """GET /v1/models: the tenant's aliases and routers, and the base models."""
        models = await self._directory.models(await self._caller(request))
        data = [
            {"id": m.alias, "object": "model", "created": m.since, "owned_by": "you" if m.version_id else "operator"}
            for m in models.by_name.values()
        ]
        data += [
            {"id": router.name, "object": "model", "created": router.since, "owned_by": "you"}
            for router in models.routers.values()
        ]
        return JSONResponse({"object": "list", "data": data})

    async def chat(self, request: Request) -> Response:
        """POST /v1/chat/completions."""
        return await self._complete(request, "/chat/completions")

    async def completions(self, request: Request) -> Response:
        """POST /v1/completions."""
        return await self._complete(request, "/completions")

    async def _complete(self, request: Request, path: str) -> Response:
        if not self._journal.has_room():
            raise disk_full()
        tally = Tally(caller=await self._caller(request))
        note_caller(tally)
        try:
            ask = await read_ask(request)
            tally.streamed = ask.streamed
            models = await self._directory.models(tally.caller)
            with choosing(tally):
                tally.model = live = await self._choosing.model(tally, models, ask)
            check_prompt(ask.document, context=live.context)
            model = answering(live, tally, ask.document)
            try:
                response = await self._answer(request, path, ask, tally, model)
            except GatewayError as error:
                if model is live or error.status < 500:
                    raise
                # Nothing was given yet, so nobody need notice that the version on trial failed. It was waited for as
                # long as the live one would be: an endpoint that is away is no fault of a version.
                tally.failed_over = True
                tally.said = None
                response = await self._answer(request, path, ask, tally, live)
            if not ask.streamed:
                tally.end(200)
                await self._settle(tally)
                self._copies.begin(tally, ask)
            return response
        except GatewayError as error:
            tally.end(error.status, error.code)
            await self._settle(tally)
            return error.response(tally.request_id, route_header(tally))
        except Exception:
            tally.end(500, "internal_error")
            await self._settle(tally)
            raise

    async def _answer(self, request: Request, path: str, ask: Ask, tally: Tally, model: Model) -> Response:
        """The answer of `model`, or its beginning: a stream settles by itself."""
        tally.model = model
        target = model.backend.target(model.name)
        document = ask.for_endpoint()
        opening = forwarded(self._client, self._room, target, path, document, alias=model.alias, tally=tally)
        if ask.streamed:
            return await unless_gone(self._stream(opening, ask, tally, model, target.decoder()), request.receive)
        return await unless_gone(
            self._whole(opening, ask, tally, model),
            request.receive,
            before_giving_up=lambda reading: self._stop(reading, tally, target),
        )

    def _chat(self, model: Model, document: dict[str, Any], tally: Tally) -> Opening:
        """A copy's, for which nobody waits."""
        target, path = model.backend.target(model.name), "/chat/completions"
        return forwarded(
            self._client, self._room, target, path, document, alias=model.alias, tally=tally, is_patient=False
        )

    async def _whole(self, opening: Opening, ask: Ask, tally: Tally, model: Model) -> Response:
        async with opening as begun:
            body = await begun.body()
            try:
                answer = msgspec.json.decode(body)
                answer["model"] = model.alias
                tally.count(answer.get("usage"))
                if tally.said is not None:
                    tally.said.append(answer["choices"][0]["message"]["content"] or "")
                tally.take_times({name: begun.response.headers.get(header) for name, header in TOLD.items()})
            except (ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError):
                raise GatewayError(502, "The endpoint’s response is not JSON.", "endpoint_error") from None
        if receipt := receipt_writer(ask, tally, model, begun.response):
            receipt.add(answer)
            answer["receipt"] = await receipt.receipt()
        headers = headers_of(tally, model, begun.response)
        return Response(msgspec.json.encode(answer), headers=headers, media_type="application/json")

    async def _stop(self, reading: asyncio.Task[Response], tally: Tally, target: Target) -> None:
        """Have what the endpoint has computed for nobody, to count it; where it can’t tell, the time counts."""
        if await stop(self._client, target, tally.request_id):
            await asyncio.wait({reading}, timeout=STOP_SECONDS)
        if not reading.done():
            tally.busy_ms = tally.waited_ms()

    async def _stream(self, opening: Opening, ask: Ask, tally: Tally, model: Model, decode: Decoder) -> Response:
        async with contextlib.AsyncExitStack() as stack:
            begun = await stack.enter_async_context(opening)
            receipt = receipt_writer(ask, tally, model, begun.response)
            return RelayedStream(
                relay(begun, tally, ask, alias=model.alias, decode=decode, receipt=receipt),
                tally=tally,
                settle=lambda: self._settle_stream(tally, ask),
                resources=stack.pop_all(),
                headers=headers_of(tally, model, begun.response),
                receipt=receipt,
            )

    async def _caller(self, request: Request) -> Caller:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        caller = await self._directory.caller(token.strip()) if scheme.lower() == "bearer" else None
        if caller is None:
            text = "Send a live API key of your organisation: `Authorization: Bearer apk_...`."
            raise GatewayError(401, text, "invalid_api_key")
        return caller

    async def _settle_stream(self, tally: Tally, ask: Ask) -> None:
        await self._settle(tally, is_given=True)
        self._copies.begin(tally, ask)

    async def _settle(self, tally: Tally, *, is_given: bool = False) -> None:
        """Write the record; what cannot be recorded is not answered. What a stream has given already is owed."""
        record = tally.record()
        try:
            await self._journal.append(record)
        except OSError as error:
            log.error("ledger_not_written", error=error.strerror)
            if is_given:
                self._journal.owe(record)
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise disk_full() from error
            text = "The request can’t be recorded right now. Try again in a few seconds."
            raise GatewayError(503, text, "ledger_unavailable", retry_after=5) from error


def disk_full() -> GatewayError:
    """The refusal of a request that cannot be recorded."""
    text = "Storage is full right now, so no request can be recorded or answered. Try again in a few minutes."
    return GatewayError(507, text, "disk_full", retry_after=DISK_FULL_SECONDS)


def headers_of(tally: Tally, model: Model, response: aiohttp.ClientResponse) -> dict[str, str]:
    """Headers that say who answered: `x-adapter-version` is the version's number, absent for a base model."""
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    if model.version_number is not None:
        headers["x-adapter-version"] = str(model.version_number)
    return {**headers, **route_header(tally), "x-request-id": tally.request_id}


def route_header(tally: Tally) -> dict[str, str]:
    """`x-route`: which router chose the model, and why; none where the caller named it."""
    return {"x-route": tally.routed.header()} if tally.routed else {}


def receipt_writer(ask: Ask, tally: Tally, model: Model, response: aiohttp.ClientResponse) -> ReceiptWriter | None:
    """What writes the answer's receipt, None where none is asked for."""
    told = response.headers.get("x-adapter-sha256")
    return ReceiptWriter(ask, tally, model, told=told) if ask.wants_receipt else None


def create_app(ledger_folder: Path | None = None) -> Starlette:
    """The ASGI application; its ledger is under the LEDGER_DIR setting unless told otherwise."""
    gateway = Gateway(Ledger(ledger_folder or settings.LEDGER_DIR, writer="gateway"))

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await gateway.open()
        yield
        await gateway.close()
        await asyncio.to_thread(stop_tracing)

    return Starlette(
        routes=[
            Route("/health", gateway.health, methods=["GET"]),
            Route("/v1/models", gateway.models, methods=["GET"]),
            Route("/v1/chat/completions", gateway.chat, methods=["POST"]),
            Route("/v1/completions", gateway.completions, methods=["POST"]),
        ],
        exception_handlers={GatewayError: refuse, HTTPException: refuse, Exception: refuse},
        lifespan=lifespan,
        middleware=[Middleware(Traced)] if spans().are_recorded else None,
    )
