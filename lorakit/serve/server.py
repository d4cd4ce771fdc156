"""The HTTP server: OpenAI's endpoints, and vLLM's for loading and unloading adapters."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from lorakit.errors import PackageError
from lorakit.serve.adapters.registry import AlreadyLoaded, NoFreeSlot
from lorakit.serve.answers.replies import Choice, Reply, usage_of
from lorakit.serve.engine import Answer, Engine
from lorakit.serve.requests.errors import ApiError
from lorakit.serve.requests.guarding import RequireKey, read_body, refuse
from lorakit.serve.requests.protocol import Ask
from lorakit.strict_json import read_json

GROUP_HEADER = "x-gateway-inference-fairness-id"
"""Whose request it is, under the name that the Gateway API's inference extension gives it; without it, its model's."""


class Api:
    """The endpoints of one engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._answers: dict[str, Answer] = {}

    async def health(self, request: Request) -> Response:
        """Whether the worker is alive, and its numbers of running and waiting requests."""
        running, waiting = self.engine.batcher.depth()
        return JSONResponse(
            {
                "status": "ok",
                "base": self.engine.base.name,
                "adapters": len(self.engine.registry.items()),
                "running": running,
                "waiting": waiting,
            }
        )

    async def metrics(self, request: Request) -> Response:
        """GET /metrics, for Prometheus."""
        text = await asyncio.to_thread(self.engine.metrics.text)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    async def models(self, request: Request) -> Response:
        """The base and every adapter."""
        base = self.engine.base
        entries: list[dict[str, Any]] = [model_entry(base.name, None, base.sha256, self.engine.context)]
        for name, adapter in self.engine.registry.items():
            entries.append(model_entry(name, base.name, adapter.sha256, self.engine.context))
        return JSONResponse({"object": "list", "data": entries})

    async def chat(self, request: Request) -> Response:
        """POST /v1/chat/completions."""
        return await self._complete(request, chat=True)

    async def completions(self, request: Request) -> Response:
        """POST /v1/completions."""
        return await self._complete(request, chat=False)

    async def _complete(self, request: Request, *, chat: bool) -> Response:
        body = await read_body(request)
        # In a thread, so that a long prompt holds up nobody else.
        prepared = await asyncio.to_thread(self.engine.prepare, body, chat=chat)
        ask, target, read = prepared.ask, prepared.target, len(prepared.prompt)
        answer = self.engine.start(prepared, group=request.headers.get(GROUP_HEADER, ""))
        reply = Reply(
            id=f"{'chatcmpl' if chat else 'cmpl'}-{uuid.uuid4().hex}",
            model=ask.model,
            fingerprint=target.fingerprint,
            chat=chat,
            spelling=self.engine.spelling,
        )
        headers = {"x-adapter-sha256": target.sha256} if target.adapter else {}
        if ask.stream:
            events = stream_events(reply, answer, ask, read)
            return StreamingResponse(events, media_type="text/event-stream", headers=headers)
        with self._cancellable(request.headers.get("x-request-id"), answer):
            choices = await collect(request, answer)
        headers["x-busy-ms"] = f"{answer.busy_ms:.3f}"
        headers["x-queue-ms"] = f"{answer.queue_ms:.3f}"
        headers["x-cold-start"] = str(int(answer.is_cold))
        # Whoever was cancelled while waiting has had no prompt read.
        usage = usage_of(read if answer.has_read else 0, answer.completion_tokens)
        return JSONResponse(reply.whole(choices, usage), headers=headers)

    async def cancel(self, request: Request) -> Response:
        """POST /v1/requests/{request_id}/cancel: the request of that X-Request-Id is answered with what there is."""
        answer = self._answers.get(request.path_params["request_id"])
        if answer is None:
            raise ApiError(404, "No request of this id is being answered in one piece.", "not_found")
        answer.cancel()
        return Response(status_code=204)

    @contextmanager
    def _cancellable(self, request_id: str | None, answer: Answer) -> Iterator[None]:
        if request_id is None or request_id in self._answers:
            yield
            return
        self._answers[request_id] = answer
        try:
            yield
        finally:
            del self._answers[request_id]

    async def load(self, request: Request) -> Response:
        """POST /v1/load_lora_adapter, as in vLLM, with `preload` and `pin` as in LMI's adapter API.

        Without `preload`, an adapter goes into a slot at once if one is free, and else when it is asked for.
        """
        body = await read_object(request)
        name, path = body.get("lora_name"), body.get("lora_path")
        if not isinstance(name, str) or not name or not isinstance(path, str) or not path:
            raise ApiError(400, "Both 'lora_name' and 'lora_path' must be provided.", "invalid_value")
        if name == self.engine.base.name:
            raise ApiError(400, f"The name '{name}' is the base model's.", "already_loaded", "lora_name")
        preload, pin = body.get("preload"), body.get("pin", False)
        if not isinstance(preload, bool | None) or not isinstance(pin, bool):
            raise ApiError(400, "'preload' and 'pin' must be true or false.", "invalid_value")
        if pin and preload is False:
            raise ApiError(400, "A pinned adapter is preloaded: leave out 'preload'.", "invalid_value", "pin")
        try:
            adapter = await asyncio.to_thread(self.engine.registry.load, name, Path(path), pin=pin)
        except AlreadyLoaded:
            text = f"The lora adapter '{name}' has already been loaded with other content."
            raise ApiError(400, text, "already_loaded", "lora_name") from None
        except PackageError as error:
            status = 404 if error.code == "package:not_found" else 400
            raise ApiError(status, error.text, error.code.replace(":", "_"), "lora_path") from None
        except NoFreeSlot:
            text = "One slot has to be left to adapters that are not pinned. Unpin another one first."
            raise ApiError(400, text, "no_free_slot", "pin") from None
        if preload is not False:
            await self.engine.put_in_slot(adapter, may_evict=pin or preload is True)
        text = f"Success: LoRA adapter '{name}' added successfully."
        return PlainTextResponse(text, headers={"x-adapter-sha256": adapter.sha256})

    async def unload(self, request: Request) -> Response:
        """POST /v1/unload_lora_adapter, as in vLLM."""
        name = (await read_object(request)).get("lora_name")
        if not isinstance(name, str) or not name:
            raise ApiError(400, "'lora_name' must be provided.", "invalid_value", "lora_name")
        if not self.engine.registry.unload(name):
            raise ApiError(404, f"The lora adapter '{name}' cannot be found.", "not_found", "lora_name")
        self.engine.metrics.forget(name)
        return PlainTextResponse(f"Success: LoRA adapter '{name}' removed successfully.")


def model_entry(name: str, parent: str | None, sha256: str, context: int) -> dict[str, Any]:
    """An entry of /v1/models."""
    return {
        "id": name,
        "object": "model",
        "created": 0,
        "owned_by": "lorakit",
        "root": parent or name,
        "parent": parent,
        "max_model_len": context,
        "sha256": sha256,
    }


async def read_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object."""
    try:
        data = read_json(await read_body(request))
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise ApiError(400, "The body must be a JSON object.", "invalid_json")
    return data


async def collect(request: Request, answer: Answer) -> list[Choice]:
    """The whole answers; they end if the client disconnects."""

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        answer.cancel()

    watching = asyncio.create_task(watch())
    found: dict[int, Choice] = {}
    try:
        async for piece in answer.pieces():
            found[piece.index] = found[piece.index].followed_by(piece) if piece.index in found else piece
    finally:
        watching.cancel()
    return [found[index] for index in sorted(found)]


async def stream_events(reply: Reply, answer: Answer, ask: Ask, prompt_tokens: int) -> AsyncIterator[str]:
    """Server-sent events of answers, ending with [DONE]; they end if the client disconnects.

    With vLLM's `continuous_usage_stats`, every event with text has the usage so far. Nothing is sent before there is
    text: until then, whoever passes the answer on may ask again.
    """

    def event(data: dict[str, Any]) -> str:
        return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"

    def computed() -> dict[str, Any]:
        usage = usage_of(prompt_tokens, answer.completion_tokens)
        return {
            "usage": usage,
            "busy_ms": round(answer.busy_ms, 3),
            "queue_ms": round(answer.queue_ms, 3),
            "cold_start": answer.is_cold,
        }

    lengths: dict[int, int] = {}
    try:
        async for piece in answer.pieces():
            if piece.index not in lengths:
                lengths[piece.index] = 0
                if reply.chat:
                    yield event(reply.piece(Choice(piece.index, "", None), first=True))
            start = lengths[piece.index]
            if piece.text or piece.tokens:
                lengths[piece.index] += len(piece.text)
                text = Choice(piece.index, piece.text, None, piece.tokens)
                yield event(reply.piece(text, start=start) | (computed() if ask.continuous_usage else {}))
            if piece.finish is not None:
                yield event(reply.piece(Choice(piece.index, "", piece.finish)))
        if ask.include_usage:
            yield event(reply.closing() | computed())
    except ApiError as error:
        yield event(error.body())
    finally:
        answer.cancel()
    yield "data: [DONE]\n\n"


def create_app(engine: Engine, api_key: str | None = None) -> Starlette:
    """The ASGI application; its lifespan starts and stops the engine's worker."""
    api = Api(engine)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        engine.batcher.start()
        yield
        await asyncio.to_thread(engine.batcher.stop)

    endpoints: list[tuple[str, Callable[[Request], Awaitable[Response]], str]] = [
        ("/health", api.health, "GET"),
        ("/metrics", api.metrics, "GET"),
        ("/v1/models", api.models, "GET"),
        ("/v1/chat/completions", api.chat, "POST"),
        ("/v1/completions", api.completions, "POST"),
        ("/v1/requests/{request_id}/cancel", api.cancel, "POST"),
        ("/v1/load_lora_adapter", api.load, "POST"),
        ("/v1/unload_lora_adapter", api.unload, "POST"),
    ]
    return Starlette(
        routes=[Route(path, endpoint, methods=[method]) for path, endpoint, method in endpoints],
        middleware=[Middleware(RequireKey, key=api_key)] if api_key else [],
        exception_handlers={ApiError: refuse},
        lifespan=lifespan,
    )
