"""The two ways to answer requests for many adapters: PEFT's, and the engine's."""

import threading
from collections.abc import Sequence as Many
from pathlib import Path

import torch
from peft import PeftModel

from bench.engine_bases import Ids
from lorakit.base import load_for_inference
from lorakit.linear import pack
from lorakit.serve.adapters.pool import SlotPool, StoredAdapter
from lorakit.serve.steps.batcher import Batcher, Job
from lorakit.serve.steps.decode import DecodeBatch
from lorakit.serve.steps.sequences import Sequence


class PeftPath:
    """PEFT with all adapters loaded, switching between them: one request at a time."""

    def __init__(
        self, folder: Path, adapters: Many[StoredAdapter], ends: frozenset[int], dtype: torch.dtype = torch.float32
    ) -> None:
        self._ends = sorted(ends)
        self._lock = threading.Lock()
        model = load_for_inference(folder)
        model.to(dtype=dtype)  # type: ignore[call-arg]
        self._model = PeftModel.from_pretrained(model, str(adapters[0].directory), adapter_name="0")
        for number, adapter in enumerate(adapters[1:], 1):
            self._model.load_adapter(str(adapter.directory), adapter_name=str(number))
        self._model.eval()

    def answer(self, prompt: Ids, adapter: int | None, tokens: int, *, is_fixed: bool) -> Ids:
        """Answer one request."""
        with self._lock, torch.inference_mode():
            self._model.set_adapter(str(adapter))
            output = self._model.generate(  # type: ignore[no-untyped-call]
                input_ids=torch.tensor([prompt]),
                attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
                max_new_tokens=tokens,
                min_new_tokens=tokens if is_fixed else None,
                do_sample=False,
            )
        answer: Ids = output[0, len(prompt) :].tolist()
        end = next((index for index, token in enumerate(answer) if token in self._ends), len(answer) - 1)
        return answer if is_fixed else answer[: end + 1]


class EnginePath:
    """The engine: slots, shared batches, one worker. In fp32 its answers are those of PEFT."""

    def __init__(
        self, folder: Path, adapters: Many[StoredAdapter], ends: frozenset[int], dtype: torch.dtype = torch.float32
    ) -> None:
        model = load_for_inference(folder)
        pack(model, dtype)
        self._adapters = adapters
        self.pool = SlotPool(model, slots=len(adapters), max_rank=16)
        self._ends = ends
        self._batch = DecodeBatch(model, self.pool, end_ids=ends)
        self._batcher = Batcher(self._batch)
        self._batcher.start()

    def stop(self) -> None:
        """Stop the worker."""
        self._batcher.stop()

    def answer(self, prompt: Ids, adapter: int | None, tokens: int, *, is_fixed: bool) -> Ids:
        """Answer one request through the worker."""
        ended = threading.Event()
        row = Sequence(prompt, 0, tokens)
        self._batch.end_ids = frozenset() if is_fixed else self._ends
        chosen = None if adapter is None else self._adapters[adapter]
        self._batcher.submit(Job([row], chosen, lambda error: ended.set(), group=str(adapter)))
        ended.wait()
        return row.tokens
