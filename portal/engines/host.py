"""The address of all engines of the site: /bases/NAME/... is that of one, which starts when it is asked.

/encoder/... is that of the encoder, if the site has one.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import aiohttp
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from lorakit.serve.requests.errors import ApiError
from lorakit.serve.requests.receiving import RequireKey, read_body, refuse
from portal.engines import errors, stopped
from portal.engines.catalogue import ENCODER, Catalogue
from portal.engines.child import Child
from portal.engines.pool import Pool
from serving.gateway.errors import ClientClosed
from serving.gateway.hang_up import unless_gone

HOP_BY_HOP = frozenset(
    {"connection", "content-length", "content-encoding", "date", "host", "keep-alive", "server", "transfer-encoding"}
)
"""Headers of one connection, and those that each server writes itself."""
TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5.0)


class Passed(StreamingResponse):
    """An engine's response. Its end, or the caller's, closes the stack."""

    def __init__(
        self, content: AsyncIterable[bytes], status: int, headers: Mapping[str, str], *, stack: AsyncExitStack
    ) -> None:
        super().__init__(content, status, headers)
        self._stack = stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry point."""
        async with self._stack:
            await super().__call__(scope, receive, send)


class Host:
    """Passes requests on to engines."""

    def __init__(self, catalogue: Catalogue, make_pool: Callable[[aiohttp.ClientSession], Pool]) -> None:
        self._catalogue = catalogue
        self._make_pool = make_pool
        self._client: aiohttp.ClientSession
        self._pool: Pool

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        """Stops every engine at the end."""
        async with aiohttp.ClientSession(
            timeout=TIMEOUT, connector=aiohttp.TCPConnector(limit=0), auto_decompress=False
        ) as self._client:
            self._pool = self._make_pool(self._client)
            watching = asyncio.create_task(self._pool.watch())
            try:
                yield
            finally:
                watching.cancel()
                await self._pool.close()

    async def health(self, _request: Request) -> Response:
        """Whether this process is well."""
        return JSONResponse({"status": "ok"})

    async def answer(self, request: Request) -> Response:
        """What the engine says, or what it would say if it ran."""
        name, path = request.path_params.get("name", ENCODER), request.path_params["path"]
        try:
            if request.method == "GET" and path in stopped.QUIET:
                return await self._quiet(request, name, path)
            body = await read_body(request)
            return await unless_gone(self._passed_on(request, name, path, body), request.receive)
        except ClientClosed:
            # Nobody reads it.
            return Response(status_code=499)

    async def _quiet(self, request: Request, name: str, path: str) -> Response:
        if path == "health":
            return JSONResponse({"status": self._pool.state(name)})
        if (child := self._pool.running(name)) is not None:
            with suppress(aiohttp.ClientError):
                return await self._from(child, request, path, b"", AsyncExitStack())
        if path == "metrics":
            return PlainTextResponse(stopped.metrics(self._catalogue))
        return Response(stopped.models(self._catalogue, name), media_type="application/json")

    async def _passed_on(self, request: Request, name: str, path: str, body: bytes) -> Response:
        stack = AsyncExitStack()
        try:
            child = await stack.enter_async_context(self._pool.use(name))
            return await self._from(child, request, path, body, stack)
        except aiohttp.ClientError:
            await stack.aclose()
            raise errors.lost(name) from None
        except BaseException:
            await stack.aclose()
            raise

    async def _from(self, child: Child, request: Request, path: str, body: bytes, stack: AsyncExitStack) -> Response:
        """The engine's response, whose end closes the stack."""
        headers = {name: value for name, value in request.headers.items() if name not in HOP_BY_HOP}
        asked = self._client.request(request.method, f"{child.url}/{path}", data=body, headers=headers)
        response = await stack.enter_async_context(asked)

        kept = {name: value for name, value in response.headers.items() if name.lower() not in HOP_BY_HOP}
        return Passed(response.content.iter_any(), response.status, kept, stack=stack)


def create_app(catalogue: Catalogue, key: str, make_pool: Callable[[aiohttp.ClientSession], Pool]) -> Starlette:
    """The application; with a `key`, every request but /health needs it."""
    host = Host(catalogue, make_pool)
    return Starlette(
        routes=[
            Route("/health", host.health),
            Route("/bases/{name}/{path:path}", host.answer, methods=["GET", "POST"]),
            Route("/encoder/{path:path}", host.answer, methods=["GET", "POST"]),
        ],
        middleware=[Middleware(RequireKey, key=key)] if key else [],
        exception_handlers={ApiError: refuse},
        lifespan=host.lifespan,
    )
