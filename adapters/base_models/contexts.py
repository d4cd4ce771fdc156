"""The context length of each base model, for dataset checks."""

from collections.abc import Iterator
from pathlib import Path

from adapters.base_models.chat_templates import template_of
from adapters.base_models.queries import base_models_to_choose
from corpora.ingest.contracts import Context

TOKENIZER = "tokenizer.json"


def base_model_contexts() -> Iterator[Context]:
    """One context for each base model, that of new adapters first, with its tokenizer if that is on this machine."""
    for base_model in base_models_to_choose():
        tokenizer = Path(base_model.location) / TOKENIZER
        yield Context(
            name=base_model.name,
            tokens=base_model.context_length,
            tokenizer=str(tokenizer) if tokenizer.is_file() else "",
            template=template_of(base_model),
        )
