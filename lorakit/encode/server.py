"""The HTTP server: OpenAI's embeddings, and with `token_vectors` also those of single tokens."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lorakit.contracts import split_message
from lorakit.encode.encoder import Encoded, TextEncoder, Vectors
from lorakit.serve.requests.errors import ApiError, invalid
from lorakit.serve.requests.receiving import RequireKey, read_body, refuse
from lorakit.strict_json import read_json

MOST_TEXTS = 2_048
"""In one request, as OpenAI has it."""

Texts = Annotated[list[str], msgspec.Meta(min_length=1, max_length=MOST_TEXTS)]


class Ask(msgspec.Struct):
    """The body of POST /v1/embeddings. Other fields of OpenAI's are ignored, but for `dimensions`."""

    input: str | Texts
    model: str = ""
    encoding_format: Literal["float", "base64"] = "float"
    token_vectors: bool = False
    dimensions: int | None = None


class Api:
    """The endpoints of one encoder. It reads one request at a time."""

    def __init__(self, encoder: TextEncoder, name: str) -> None:
        self.encoder = encoder
        self.name = name
        self._turn = asyncio.Lock()

    async def health(self, request: Request) -> Response:
        """That the encoder is loaded."""
        return JSONResponse({"status": "ok", "model": self.name})

    async def models(self, request: Request) -> Response:
        """The encoder."""
        entry = {"id": self.name, "object": "model", "owned_by": "lorakit", "max_model_len": self.encoder.longest}
        return JSONResponse({"object": "list", "data": [entry]})

    async def embeddings(self, request: Request) -> Response:
        """POST /v1/embeddings."""
        ask = parse(await read_body(request))
        if ask.model not in ("", self.name):
            raise ApiError(
                404, f"There is no model {ask.model}. This server has {self.name}.", "model_not_found", "model"
            )
        texts = [ask.input] if isinstance(ask.input, str) else ask.input
        async with self._turn:
            found = await asyncio.to_thread(self.encoder.encode, texts)
        tokens = sum(one.count for one in found)
        return JSONResponse(
            {
                "object": "list",
                "model": self.name,
                "data": [entry_of(place, one, ask) for place, one in enumerate(found)],
                "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
            }
        )


def parse(body: bytes) -> Ask:
    """Read a body. Raises ApiError."""
    try:
        ask = msgspec.convert(read_json(body), Ask)
    except msgspec.ValidationError as error:
        raise invalid(*split_message(str(error))) from None
    except (ValueError, msgspec.DecodeError) as error:
        raise ApiError(400, f"The body is not valid JSON: {error}", "invalid_json") from None
    if ask.dimensions is not None:
        raise invalid("dimensions", "This encoder has one size only. Leave it out.")
    return ask


def entry_of(place: int, found: Encoded, ask: Ask) -> dict[str, Any]:
    """One text's entry. `token_embeddings` are [tokens, dimensions], in base64 their float32 numbers in a row."""
    write: Callable[[Vectors], Any] = in_base64 if ask.encoding_format == "base64" else in_lists
    entry: dict[str, Any] = {"object": "embedding", "index": place, "embedding": write(found.vector)}
    if ask.token_vectors:
        entry |= {"token_embeddings": write(found.tokens), "tokens": len(found.tokens)}
    return entry


def in_base64(vectors: Vectors) -> str:
    """Little-endian float32 numbers."""
    return base64.b64encode(vectors.astype("<f4").tobytes()).decode()


def in_lists(vectors: Vectors) -> Any:
    """Numbers, in lists as deep as the array."""
    return vectors.tolist()


def create_app(encoder: TextEncoder, name: str, api_key: str | None = None) -> Starlette:
    """The ASGI application."""
    api = Api(encoder, name)
    endpoints: list[tuple[str, Callable[[Request], Awaitable[Response]], str]] = [
        ("/health", api.health, "GET"),
        ("/v1/models", api.models, "GET"),
        ("/v1/embeddings", api.embeddings, "POST"),
    ]
    return Starlette(
        routes=[Route(path, endpoint, methods=[method]) for path, endpoint, method in endpoints],
        middleware=[Middleware(RequireKey, key=api_key)] if api_key else [],
        exception_handlers={ApiError: refuse},
    )
