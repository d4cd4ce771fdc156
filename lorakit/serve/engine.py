"""A loaded base with its slots, registry and worker, which answers the HTTP server's requests."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from lorakit.base import (
    check_base,
    context_length,
    end_token_ids,
    load_for_serving,
    load_tokenizer,
)
from lorakit.digest import base_sha256
from lorakit.serve.adapters.memory import Memory
from lorakit.serve.adapters.pool import SlotPool, StoredAdapter
from lorakit.serve.adapters.registry import Registry
from lorakit.serve.answers.replies import Choice, Spelling
from lorakit.serve.answers.talking import Classifying, Prepared, Talking, Target
from lorakit.serve.metrics import Loaded, Metrics, State, process_bytes
from lorakit.serve.requests.errors import ApiError
from lorakit.serve.requests.guides import Guides
from lorakit.serve.requests.prompts import PromptEncoder
from lorakit.serve.requests.protocol import parse_ask
from lorakit.serve.steps.batcher import Batcher, Job, Overloaded, Preload
from lorakit.serve.steps.decode import DecodeBatch


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


class Answer:
    """Answers in progress to one request: their pieces as they arrive, and their totals at the end."""

    def __init__(self, job: Job, pieces: "asyncio.Queue[Choice | BaseException | None]") -> None:
        self._job = job
        self._pieces = pieces

    async def pieces(self) -> AsyncIterator[Choice]:
        """Pieces of the answers until all have ended; the last of each says why. Raises `ApiError` if one fails."""
        while (piece := await self._pieces.get()) is not None:
            if isinstance(piece, BaseException):
                raise ApiError(500, "The model failed on this request.", "engine_error")
            yield piece

    def cancel(self) -> None:
        """End the answers with what there is."""
        self._job.cancelled.set()

    @property
    def completion_tokens(self) -> int:
        """The number of tokens of the answers so far, including end tokens."""
        return sum(len(row.tokens) for row in self._job.sequences)

    @property
    def has_read(self) -> bool:
        """Whether the model has read anything."""
        return any(row.busy_seconds for row in self._job.sequences)

    @property
    def busy_ms(self) -> float:
        """The answers' share of the model's time in milliseconds."""
        return sum(row.busy_seconds for row in self._job.sequences) * 1000

    @property
    def queue_ms(self) -> float:
        """How long the request waited for its first step, in milliseconds."""
        return self._job.queued_seconds * 1000

    @property
    def is_cold(self) -> bool:
        """Whether the request waited for its adapter to be loaded."""
        return self._job.cold


class Engine:
    """Answers requests for a base and its adapters."""

    def __init__(self, settings: Settings) -> None:
        directory = check_base(settings.base)
        self.settings = settings
        self.tokenizer = load_tokenizer(directory)
        model = load_for_serving(directory)
        self.context = context_length(model)
        self.prompts = PromptEncoder(self.tokenizer, self.context)
        self.spelling = Spelling(self.tokenizer)
        self.base = Target(settings.base_id, None, base_sha256(directory))
        self.pool = SlotPool(model, slots=settings.slots, max_rank=settings.max_rank, lanes=settings.width)
        memory = None if settings.memory is None else Memory(settings.memory)
        self.registry = Registry(self.pool, settings.cache, memory)
        self.registry.restore()
        end_ids = end_token_ids(model, self.tokenizer)
        self.vocabulary = int(model.config.get_text_config().vocab_size)
        self.guides = Guides(self.tokenizer, self.vocabulary, end_ids)
        self.metrics = Metrics(self._state)
        batch = DecodeBatch(model, self.pool, end_ids=end_ids)
        self.batcher = Batcher(batch, width=settings.width, threads=settings.threads, loaded=self.metrics.loaded)
        self._base_bytes = sum(tensor.nbytes for tensor in [*model.parameters(), *model.buffers()])
        for adapter in self.registry.pinned().values():
            self.batcher.preload(Preload(adapter, may_evict=True, finished=lambda error: None))

    def resolve(self, model: str) -> Target:
        """The target of a model name. Raises `ApiError` for an unknown name; the base never answers in its place."""
        if model == self.base.name:
            return self.base
        adapter = self.registry.find(model)
        if adapter is None:
            raise ApiError(404, f"The model `{model}` does not exist.", "model_not_found", "model")
        return Target(model, adapter, adapter.sha256)

    def prepare(self, body: bytes, *, chat: bool) -> Prepared:
        """Parse, check and tokenise a request, which may take a while. Raises `ApiError`."""
        ask = parse_ask(body, chat=chat, vocabulary=self.vocabulary)
        target = self.resolve(ask.model)
        prompt = self.prompts.encode(ask)
        choices = [self.prompts.answer(text) for text in ask.choices]
        room = self.context - len(prompt)
        wanted = ask.max_tokens if ask.max_tokens is not None else max(room, 1)
        if choices:
            wanted = max(map(len, choices)) + 1
        if wanted > room:
            text = (
                f"This model's context is {self.context} tokens. The request needs "
                f"{len(prompt) + wanted}: {len(prompt)} in the prompt and {wanted} for the answer."
            )
            raise ApiError(400, text, "context_length_exceeded", "messages" if ask.messages else "prompt")
        guide = None if ask.form is None else self.guides.guide(ask.form)
        return Prepared(ask, target, prompt, wanted, choices, guide)

    def start(self, prepared: Prepared, *, group: str = "") -> Answer:
        """Queue a request for the worker. No group waits behind the many requests of another. Raises `ApiError`."""
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[Choice | BaseException | None] = asyncio.Queue()

        def put(piece: Choice | BaseException | None) -> None:
            loop.call_soon_threadsafe(pieces.put_nowait, piece)

        timing = self.metrics.began(prepared.target.name)
        talk = Classifying(prepared) if prepared.choices else Talking(prepared, self.tokenizer, put, timing.token)

        def finished(error: BaseException | None) -> None:
            ended: list[Choice | BaseException] = [*talk.ended()] if error is None else [error]
            reason = next((piece.finish for piece in ended if isinstance(piece, Choice) and piece.finish), "error")
            # Counted before the caller can know.
            generated = sum(len(row.tokens) for row in talk.rows)
            timing.end(reason, prompt=len(prepared.prompt), generated=generated)
            for piece in (*ended, None):
                put(piece)

        job = Job(talk.rows, prepared.target.adapter, finished, group=group or prepared.target.name)
        try:
            self.batcher.submit(job)
        except Overloaded:
            raise ApiError(503, "Too many requests are waiting. Try again in a moment.", "overloaded") from None
        return Answer(job, pieces)

    async def put_in_slot(self, adapter: StoredAdapter, *, may_evict: bool) -> None:
        """Load an adapter before anybody asks for it. Unless it `may_evict` another, only into a free slot."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def settle(error: BaseException | None) -> None:
            if not done.done():
                done.set_result(None) if error is None else done.set_exception(error)

        def finished(error: BaseException | None) -> None:
            loop.call_soon_threadsafe(settle, error)

        self.batcher.preload(Preload(adapter, may_evict, finished))
        await done

    def _state(self) -> State:
        running, waiting = self.batcher.depth()
        held = {"base": self._base_bytes, "slots": self.pool.size, "cache": self.batcher.cache_size}
        resident, pinned = {*self.pool.resident()}, self.registry.pinned()
        return State(
            running=running,
            waiting=waiting,
            slots=self.pool.slots,
            resident=len(resident),
            loaded=[
                Loaded(name, adapter.config.rank, name in pinned)
                for name, adapter in self.registry.items()
                if adapter.sha256 in resident
            ],
            cache_share=self.batcher.cache_share,
            memory={**held, "process": max(0, process_bytes() - sum(held.values()))},
        )
