"""Which entries of AWS's price list are those of a model on Amazon Bedrock.

The list of the service AmazonBedrock calls models by their names ("Nova Lite"), calls go by their IDs
("eu.amazon.nova-lite-v1:0"): both are the same once case, punctuation and the ID's vendor and version are left out. A
model whose name differs in more than that, one of AWS Marketplace, and a global inference profile, which has prices of
its own, are not found: nothing is guessed.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from metering.backends.catalogues import Catalogue
from metering.backends.price_lists import Wanted

FEATURE = "On-demand Inference"
KINDS = {"judge_input": "Input tokens", "judge_output": "Output tokens"}
"""What the list calls the tokens of the price book's services; batches, caches and other tiers say more."""
USAGE = re.compile(r"[A-Z0-9]+-[A-Za-z0-9.-]+-(input|output)-tokens")
TOKENS = {"1K tokens": 1000, "1M tokens": 1_000_000}
"""Units, in tokens."""
MODEL_ID = re.compile(r"(?:(?:us|eu|apac|jp|au|ca|us-gov)\.)?[a-z0-9]+\.(?P<name>[a-z0-9-]+?)(?:-v\d+(?::\d+)?)?")


def name_of(model_id: str) -> str:
    """What a model's ID and its name in the list have in common; empty for what the list can't be searched for."""
    found = MODEL_ID.fullmatch(model_id)
    return _bare(found["name"]) if found else ""


def _is_price_of(attributes: Mapping[str, Any], wanted: Wanted) -> bool:
    """Whether an entry is the price of a model's input or output tokens, on demand."""
    name = name_of(wanted.item)
    return (
        name != ""
        and attributes.get("feature") == FEATURE
        and attributes.get("inferenceType") == KINDS[wanted.service]
        and USAGE.fullmatch(str(attributes.get("usagetype"))) is not None
        and _bare(str(attributes.get("model"))) == name
    )


def _per_million(amount: Decimal, unit: str) -> Decimal | None:
    """The price of a million tokens; None for a unit that is no number of tokens."""
    return amount * 1_000_000 / TOKENS[unit] if unit in TOKENS else None


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


# The list of a region's models can only be searched as a whole.
BEDROCK = Catalogue(
    service_code="AmazonBedrock",
    search=lambda wanted: ("feature", FEATURE),
    is_price_of=_is_price_of,
    per_unit=_per_million,
)
