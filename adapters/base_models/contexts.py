"""The context length of each base model, for dataset checks."""

from collections.abc import Iterator
from pathlib import Path

from adapters.models import BaseModel
from corpora.ingest.contracts import Context

TOKENIZER = "tokenizer.json"


def base_model_contexts() -> Iterator[Context]:
    """One context for each base model, oldest first, with its tokenizer if that is on this machine."""
    for base_model in BaseModel.objects.order_by("created_at"):
        tokenizer = Path(base_model.location) / TOKENIZER
        yield Context(
            name=base_model.name,
            tokens=base_model.context_length,
            tokenizer=str(tokenizer) if tokenizer.is_file() else "",
        )
