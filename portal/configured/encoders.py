"""The site's encoder, as the environment names it."""

from typing import Any


def all_encoders(*, url: str, key: str, model: str, tokens: bool) -> dict[str, dict[str, Any]]:
    """ENCODERS: none without an address, which ends before `/embeddings`."""
    options = {"URL": url, "API_KEY": key, "MODEL": model, "TOKENS": tokens}
    return (
        {"default": {"BACKEND": "evaluations.metrics.openai_encoder.OpenAIEncoder", "OPTIONS": options}} if url else {}
    )
