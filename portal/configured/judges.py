"""The judges by alias, for settings."""

from decimal import Decimal
from typing import Any


def all_judges(
    *, model: str, url: str, key: str, price_in: str, price_out: str, region: str
) -> dict[str, dict[str, Any]]:
    """The one in the box, and with a `model` the one that the site shares: at `url`, or without one on Bedrock.

    Prices are US dollars per million tokens, empty for none.
    """
    judges: dict[str, dict[str, Any]] = {
        "default": {"BACKEND": "evaluations.judges.backends.reference.ReferenceJudge", "OPTIONS": {}}
    }
    options: dict[str, Any] = {
        "MODEL": model,
        "API_KEY": key,
        "PRICE_IN": Decimal(price_in) if price_in else None,
        "PRICE_OUT": Decimal(price_out) if price_out else None,
    }
    if model and url:
        backend = "evaluations.judges.backends.openai.OpenAIJudge"
        judges["shared"] = {"BACKEND": backend, "OPTIONS": {**options, "URL": url}}
    elif model:
        backend = "evaluations.judges.backends.bedrock.BedrockJudge"
        judges["shared"] = {"BACKEND": backend, "OPTIONS": {**options, "REGION": region}}
    return judges
