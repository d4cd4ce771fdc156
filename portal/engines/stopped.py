"""What an engine that does not run would say: answering these questions is no reason to start it."""

import json

from lorakit.serve.adapters.memory import Memory
from portal.engines.catalogue import Catalogue

QUIET = frozenset({"health", "metrics", "v1/models"})
"""Paths that are read again and again without any use of the engine."""


def models(catalogue: Catalogue, name: str) -> str:
    """GET /v1/models: the base, and the adapters that it will have when it starts."""
    held = Memory(catalogue.memory(name)).read()
    entries = [_entry(name, None), *(_entry(adapter, name) for adapter in held)]
    return json.dumps({"object": "list", "data": entries})


def metrics(catalogue: Catalogue) -> str:
    """GET /metrics: as many slots as it will have, and nothing in them."""
    return f"vllm:max_gpu_lora_adapters {catalogue.slots}\nvllm:num_requests_running 0\nvllm:num_requests_waiting 0\n"


def _entry(name: str, parent: str | None) -> dict[str, object]:
    return {
        "id": name,
        "object": "model",
        "created": 0,
        "owned_by": "lorakit",
        "root": parent or name,
        "parent": parent,
    }
