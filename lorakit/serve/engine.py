"""A loaded base with its slots, registry and worker, which answers the HTTP server's requests."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from lorakit.base import (
    check_base,
    context_length,
    end_token_ids,
    load_for_inference,
    load_tokenizer,
)
from lorakit.digest import base_sha256
from lorakit.serve.batcher import Batcher, Job, Overloaded
from lorakit.serve.decode import DecodeBatch, Sequence
from lorakit.serve.errors import ApiError
from lorakit.serve.memory import Memory
from lorakit.serve.pool import BASE_SLOT, SlotPool, StoredAdapter
from lorakit.serve.prompts import PromptEncoder
from lorakit.serve.protocol import Ask
from lorakit.serve.registry import Registry
from lorakit.serve.text import TextStream


@dataclass(frozen=True)
class Settings:
    """Settings of an engine: unpacked adapters go to `cache`; a batch has at most `width` rows.

    `memory` is a file with the adapters it holds, to load them again at its next start.
    """

    base: str
    base_id: str
    cache: Path
    slots: int = 16
    max_rank: int = 32
    threads: int = 1
    width: int = 32
    memory: Path | None = None


@dataclass(frozen=True)
class Target:
    """A resolved model name. `adapter` is None for the base; `sha256` is the hash of the adapter or base."""

    name: str
    adapter: StoredAdapter | None
    sha256: str

    @property
    def fingerprint(self) -> str:
        """The fingerprint in an answer that identifies the weights behind it."""
        return self.sha256[:16] if self.adapter else f"base-{self.sha256[:11]}"


class Answer:
    """An answer in progress: its pieces as they arrive, and its totals at the end."""

    def __init__(self, job: Job, pieces: "asyncio.Queue[str | BaseException | None]") -> None:
        self._job = job
        self._pieces = pieces

    async def pieces(self) -> AsyncIterator[str]:
        """Pieces of text until the answer ends. Raises `ApiError` if it fails."""
        while (piece := await self._pieces.get()) is not None:
            if isinstance(piece, BaseException):
                raise ApiError(500, "The model failed on this request.", "engine_error")
            if piece:
                yield piece

    def cancel(self) -> None:
        """End the answer with what there is."""
        self._job.cancelled.set()

    @property
    def finish(self) -> str:
        """Why the answer ended: "stop", "length" or "cancelled"."""
        return self._job.sequence.finish or "stop"

    @property
    def completion_tokens(self) -> int:
        """The number of tokens of the answer so far, including the end token."""
        return len(self._job.sequence.tokens)

    @property
    def busy_ms(self) -> float:
        """The answer's share of the model's time in milliseconds."""
        return self._job.sequence.busy_seconds * 1000


class Engine:
    """Answers requests for a base and its adapters."""

    def __init__(self, settings: Settings) -> None:
        directory = check_base(settings.base)
        self.settings = settings
        self.tokenizer = load_tokenizer(directory)
        model = load_for_inference(directory)
        self.context = context_length(model)
        self.prompts = PromptEncoder(self.tokenizer, self.context)
        self.base = Target(settings.base_id, None, base_sha256(directory))
        self.pool = SlotPool(model, slots=settings.slots, max_rank=settings.max_rank)
        memory = None if settings.memory is None else Memory(settings.memory)
        self.registry = Registry(self.pool, settings.cache, memory)
        self.registry.restore()
        batch = DecodeBatch(
            model,
            self.pool,
            end_ids=end_token_ids(model, self.tokenizer),
            pad_id=int(self.tokenizer.pad_token_id),
        )
        self.batcher = Batcher(batch, self.pool, width=settings.width, threads=settings.threads)

    def resolve(self, model: str) -> Target:
        """The target of a model name. Raises `ApiError` for an unknown name; the base never answers in its place."""
        if model == self.base.name:
            return self.base
        adapter = self.registry.find(model)
        if adapter is None:
            raise ApiError(404, f"The model `{model}` does not exist.", "model_not_found", "model")
        return Target(model, adapter, adapter.sha256)

    def start(self, ask: Ask, target: Target, prompt: list[int]) -> Answer:
        """Queue a request for the worker. Raises `ApiError` if it does not fit."""
        room = self.context - len(prompt)
        wanted = ask.max_tokens if ask.max_tokens is not None else max(room, 1)
        if wanted > room:
            text = (
                f"This model's context is {self.context} tokens. The request needs "
                f"{len(prompt) + wanted}: {len(prompt)} in the prompt and {wanted} for the answer."
            )
            raise ApiError(400, text, "context_length_exceeded", "messages" if ask.messages else "prompt")
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[str | BaseException | None] = asyncio.Queue()
        stream = TextStream(self.tokenizer, ask.stop)

        def put(piece: str | BaseException | None) -> None:
            loop.call_soon_threadsafe(pieces.put_nowait, piece)

        def on_token(token: int) -> bool:
            put(stream.push(token))
            return stream.stopped

        def finished(error: BaseException | None) -> None:
            put(stream.finish() if error is None else error)
            put(None)

        sequence = Sequence(prompt, BASE_SLOT, wanted, ask.sampling, on_token)
        job = Job(sequence, target.adapter, finished)
        try:
            self.batcher.submit(job)
        except Overloaded:
            raise ApiError(503, "Too many requests are waiting. Try again in a moment.", "overloaded") from None
        return Answer(job, pieces)
