"""What may be set on a judge, and the host that its secret is for."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from evaluations.models import JudgeKind
from rest.errors import PortalError
from rest.names import check_name
from tenants.outbound.destinations import Reach
from tenants.outbound.destinations import reach_of as outbound_reach

FIELDS = (
    "name",
    "kind",
    "model",
    "address",
    "region",
    "api_version",
    "temperature",
    "samples",
    "price_in",
    "price_out",
    "requests_per_minute",
    "is_tested_automatically",
)
COMPUTES = ("kind", "model", "address", "region", "api_version", "temperature", "samples")
"""Those that change what a judge computes, and so its version."""

MAX_SAMPLES = 10
HIGHEST_PRICE = Decimal(100_000)
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d{1,2}")
ADDRESS = re.compile(r"[!-~]+")
MODEL = re.compile(r"[\w.:/@+-]{1,200}")


class WrongSetting(PortalError):
    """A judge cannot be set so; `field` says which value is wrong."""

    code = "judge:wrong_setting"


def checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a judge, without those that its kind does not have. Raises WrongSetting or InvalidName."""
    found = {**values, "name": check_name(values["name"])[:80], "model": values["model"].strip()}
    if not found["name"]:
        raise WrongSetting("Enter a name.", field="name")
    if not MODEL.fullmatch(found["model"]):
        raise WrongSetting("Enter the model’s ID as its provider writes it.", field="model")
    kind = found["kind"]
    if kind not in JudgeKind.values:
        raise WrongSetting(f"The kind is one of {', '.join(JudgeKind.values)}.", field="kind")
    found["address"] = checked_address(found["address"]) if kind == JudgeKind.OPENAI else ""
    found["api_version"] = found["api_version"].strip() if kind == JudgeKind.OPENAI else ""
    found["region"] = found["region"].strip() if kind == JudgeKind.BEDROCK else ""
    if kind == JudgeKind.BEDROCK and not REGION.fullmatch(found["region"]):
        raise WrongSetting("Enter the AWS region of the model, such as eu-west-1.", field="region")
    if not re.fullmatch(r"[\w.-]{0,32}", found["api_version"]):
        raise WrongSetting("The API version looks like 2025-04-01-preview.", field="api_version")
    _check_numbers(found)
    return found


def checked_address(address: str) -> str:
    """The address of an OpenAI-compatible server, without a slash at its end. Raises WrongSetting.

    The addresses behind its name are checked with each request, since a name may lead elsewhere later.
    """
    address = address.strip().rstrip("/").removesuffix("/chat/completions")
    try:
        parts = urlsplit(address)
        named = parts.hostname and parts.port != 0
    except ValueError:
        named = None
    if not named or parts.scheme not in ("http", "https") or len(address) > 300 or not ADDRESS.fullmatch(address):
        raise WrongSetting("Enter an address such as https://api.openai.com/v1.", field="address")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise WrongSetting("The address must not contain a password, “?” or “#”.", field="address")
    if parts.scheme == "http" and reach_of(address) is Reach.PUBLIC:
        raise WrongSetting("The address must begin with https://, so that nobody reads the secret.", field="address")
    return address


def host_of(values: Mapping[str, Any]) -> str:
    """The host that a judge's secret is sent to, with its port."""
    kind = values["kind"]
    if kind == JudgeKind.BEDROCK:
        return f"bedrock-runtime.{values['region']}.amazonaws.com"
    parts = urlsplit(settings.GATEWAY_URL if kind == JudgeKind.GATEWAY else values["address"])
    port = parts.port or (443 if parts.scheme == "https" else 80)
    # The scheme too: what was saved for https is not sent in the clear.
    return f"{parts.scheme}://{parts.hostname}:{port}"


def reach_of(address: str) -> Reach:
    """Where a judge at this address may send its requests."""
    return outbound_reach(address, settings.JUDGE_PRIVATE_HOSTS)


def _check_numbers(values: Mapping[str, Any]) -> None:
    if not 0 <= values["temperature"] <= 2:
        raise WrongSetting("The temperature is from 0 to 2.", field="temperature")
    if not 1 <= values["samples"] <= MAX_SAMPLES:
        raise WrongSetting(f"The number of samples is from 1 to {MAX_SAMPLES}.", field="samples")
    for name in ("price_in", "price_out"):
        price = values[name]
        if price is not None and not (price.is_finite() and 0 <= price <= HIGHEST_PRICE):
            raise WrongSetting("The price is in US dollars per million tokens, and not negative.", field=name)
    limit = values["requests_per_minute"]
    if limit is not None and not 1 <= limit <= 100_000:
        raise WrongSetting("The limit is from 1 to 100,000 requests a minute.", field="requests_per_minute")
