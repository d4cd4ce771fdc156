"""An encoder model: a vector for each text, and one for each of its tokens.

It reads folders of sentence-transformers whose text vector is the mean of the tokens' vectors, of length 1, such as
all-MiniLM-L6-v2 (Reimers and Gurevych, "Sentence-BERT", 2019).
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast
from transformers.utils import logging as transformers_logging

from lorakit.errors import RunError

transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]

BATCH = 32
"""Texts that are read at once, those of similar length together."""

Vectors = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """A text's `vector` (dimensions,) of length 1, `tokens` (tokens, dimensions) without those that mark its ends.

    `count` is the number of tokens that were read, with those that mark its ends.
    """

    vector: Vectors
    tokens: Vectors
    count: int


class TextEncoder:
    """An encoder in memory; `longest` is how many tokens of a text it reads. The rest is left out."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, *, longest: int) -> None:
        self.longest = longest
        self._model = model
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> Self:
        """The encoder in a folder. Raises RunError if there is none, or one whose vectors are made otherwise."""
        if not (folder / "config.json").is_file():
            raise RunError("encoder:missing", f"There is no encoder in {folder}. Check its path.")
        pooling = _settings(folder / "1_Pooling" / "config.json")
        if pooling and not pooling.get("pooling_mode_mean_tokens"):
            text = f"The encoder in {folder} does not take the mean of its tokens. Choose one that does."
            raise RunError("encoder:pooling", text)
        torch.set_num_threads(threads)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        model: PreTrainedModel = AutoModel.from_pretrained(folder, dtype=torch.float32).to(device)
        model.eval()  # type: ignore[no-untyped-call]
        context = int(model.config.max_position_embeddings)
        longest = _settings(folder / "sentence_bert_config.json").get("max_seq_length") or context
        tokenizer: PreTrainedTokenizerFast = AutoTokenizer.from_pretrained(folder)  # type: ignore[assignment]
        return cls(model, tokenizer, longest=min(int(longest), context))

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """One for each text, in order."""
        encoded: dict[int, Encoded] = {}
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]), reverse=True)
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            encoded.update(zip(places, self._batch([texts[place] for place in places]), strict=True))
        return [encoded[place] for place in range(len(texts))]

    def _batch(self, texts: list[str]) -> list[Encoded]:
        batch: Any = self._tokenizer(
            texts,
            padding=True,
            truncation=True,
            max_length=self.longest,
            return_tensors="pt",
            return_special_tokens_mask=True,
        )
        marks = batch.pop("special_tokens_mask").bool()
        batch = batch.to(self._model.device)
        with torch.inference_mode():
            hidden = self._model(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1)
        means = torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=1).cpu().numpy()
        counts = batch["attention_mask"].sum(1).tolist()
        # Padding is marked as special too.
        return [
            Encoded(vector=mean, tokens=own[~mark].cpu().numpy(), count=int(count))
            for mean, own, mark, count in zip(means, hidden.cpu(), marks, counts, strict=True)
        ]


def _settings(path: Path) -> dict[str, Any]:
    """A JSON file's object, empty without the file."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found
