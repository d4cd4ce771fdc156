"""From a judge's row to what asks its model."""

import hashlib
import json
from typing import Any

from django.conf import settings

from evaluations.judges.backends.base import Judge as Backend
from evaluations.judges.backends.bedrock import BedrockJudge
from evaluations.judges.backends.errors import Unauthorised
from evaluations.judges.backends.openai import GatewayJudge, OpenAIJudge
from evaluations.judges.calling import Caller
from evaluations.judges.prices import with_price
from evaluations.judges.prompts import PROTOCOL
from evaluations.judges.settings import COMPUTES, host_of, reach_of
from evaluations.models import Judge, JudgeKind
from tenants.outbound.destinations import Reach
from tenants.sealing import SealBroken, unseal

COMPUTE_NOTHING = frozenset({"API_KEY", "PRICE_IN", "PRICE_OUT", "REACH", "TIMEOUT_SECONDS"})
"""Options of backends that leave verdicts as they are."""


def backend_of(judge: Judge, **options: Any) -> Backend:
    """What asks the judge's model, with `options` of its backend over its own. Raises Unauthorised.

    Every secret is the organisation's: a customer's judge never uses the site's own credentials.
    """
    common = {
        "MODEL": judge.model,
        "API_KEY": secret_of(judge),
        "TEMPERATURE": judge.temperature,
        "SAMPLES": judge.samples,
        "PRICE_IN": judge.price_in,
        "PRICE_OUT": judge.price_out,
        **options,
    }
    if judge.kind == JudgeKind.BEDROCK:
        if not common["API_KEY"]:
            raise Unauthorised("This judge has no API key. Enter a Bedrock API key.")
        return with_price(BedrockJudge(judge.name, {**common, "REGION": judge.region}))
    if judge.kind == JudgeKind.GATEWAY:
        return GatewayJudge(judge.name, {**common, "URL": f"{settings.GATEWAY_URL.rstrip('/')}/v1", "REACH": Reach.ANY})
    address = {"URL": judge.address, "API_VERSION": judge.api_version, "REACH": reach_of(judge.address)}
    return OpenAIJudge(judge.name, {**common, **address})


def caller_of(judge: Judge, *, concurrency: int = 4) -> Caller:
    """What asks the judge many times, within its rate. Raises Unauthorised."""
    return Caller(backend_of(judge), concurrency=concurrency, per_minute=judge.requests_per_minute)


def secret_of(judge: Judge) -> str:
    """The judge's secret, empty without one. Raises Unauthorised."""
    if not judge.sealed_secret:
        return ""
    try:
        return unseal(judge.sealed_secret, tenant_id=judge.tenant_id, host=host_of(_settings(judge)))
    except SealBroken:
        raise Unauthorised("The judge’s secret can no longer be read. Enter it again.") from None


def fingerprint(judge: Judge) -> str:
    """Identifies what the judge computes: verdicts with the same one may be compared and reused."""
    content = json.dumps([PROTOCOL, *(_settings(judge)[name] for name in COMPUTES)])
    return hashlib.sha256(content.encode()).hexdigest()


def shared_fingerprint(backend: Backend) -> str:
    """The same of a judge of the JUDGES setting."""
    kind = f"{type(backend).__module__}.{type(backend).__qualname__}"
    computes = {name: str(value) for name, value in sorted(backend.settings.items()) if name not in COMPUTE_NOTHING}
    return hashlib.sha256(json.dumps([PROTOCOL, kind, backend.revision, computes]).encode()).hexdigest()


def _settings(judge: Judge) -> dict[str, Any]:
    return {name: getattr(judge, name) for name in COMPUTES}
