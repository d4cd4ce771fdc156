"""Which files of a base model are fetched."""

from fnmatch import fnmatchcase

WANTED = (
    "config.json",
    "generation_config.json",
    "*.safetensors",
    "model.safetensors.index.json",
    "tokenizer*.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    "additional_chat_templates/*.jinja",
    "base.json",
    "LICENSE*",
    "LICENCE*",
    "NOTICE*",
)
"""Weights as safetensors, tokenizer, chat templates and licence: no pickles, no code, no second copy of the weights."""

CONSOLIDATED = ("consolidated*.safetensors", "original/*")
"""The same weights again, as their makers keep them."""


def is_wanted(name: str) -> bool:
    """Whether a file of that path below the model's folder is."""
    if any(fnmatchcase(name, pattern) for pattern in CONSOLIDATED) or name.count("/") > 1:
        return False
    return any(fnmatchcase(name, pattern) and pattern.count("/") == name.count("/") for pattern in WANTED)
