"""What a cloud is asked to try for an endpoint: its busiest adapters, and requests like those of the last week."""

import math
from typing import Any

from serving.backends.base import Package
from serving.backends.recommending import MOST_ADAPTERS, Question
from serving.capacity.twins import HeldAdapter, twin_of
from serving.endpoints.deployments import package_of
from serving.endpoints.queries import EndpointNotSetUp, backend_of
from serving.models import CapacityRecommendation, Deployment, Endpoint
from tenants.scope import system_scope

USUAL_INPUT_TOKENS, USUAL_OUTPUT_TOKENS = 550, 150
"""Those of AWS's examples, until requests have been measured."""


def can_recommend(endpoint: Endpoint) -> bool:
    """Whether a cloud can be asked for it."""
    try:
        return endpoint.is_serving and backend_of(endpoint).recommender() is not None
    except (EndpointNotSetUp, ValueError):
        return False


def asked_of(endpoint: Endpoint) -> dict[str, Any]:
    """Names of up to ten adapters, tokens of a request, and requests at a time, for `CapacityRecommendation.asked`.

    Raises EndpointNotSetUp.
    """
    twin = twin_of(endpoint)
    adapters: list[HeldAdapter] = sorted(twin.adapters if twin else (), key=lambda one: -one.rate)
    tokens = twin.tokens if twin else None
    at_once = twin.demand.busiest.requests if twin and twin.demand and not twin.demand.busiest.is_too_much else 1.0
    return {
        "adapters": [one.deployment.name for one in adapters[:MOST_ADAPTERS]],
        "input_tokens": tokens.read if tokens else USUAL_INPUT_TOKENS,
        "output_tokens": tokens.written if tokens else USUAL_OUTPUT_TOKENS,
        "concurrency": max(1, math.ceil(round(at_once, 2))),
        "is_measured": tokens is not None,
    }


def question_of(recommendation: CapacityRecommendation) -> Question:
    """The question, with the packages of those of its adapters that are still known."""
    asked = recommendation.asked
    return Question(
        goal=asked["goal"],
        adapters=_packages(recommendation),
        input_tokens=asked["input_tokens"],
        output_tokens=asked["output_tokens"],
        concurrency=asked["concurrency"],
        machines=tuple(asked["machines"]),
    )


def _packages(recommendation: CapacityRecommendation) -> dict[str, Package]:
    names = recommendation.asked["adapters"]
    with system_scope():
        rows = Deployment.objects.filter(endpoint=recommendation.endpoint_id, name__in=names)
        return {one.name: package_of(one.version) for one in rows.select_related("version")}
