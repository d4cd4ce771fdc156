"""What a tenant may know of a shared endpoint: its own adapters, and what applies to all. Never names or figures of
others: whether adapters take turns is all that it says of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.models import AdapterVersion
from serving.capacity.twins import HeldAdapter, twin_of
from serving.endpoints.queries import EndpointNotSetUp, backend_of, context_of, place_of
from serving.models import HELD, Deployment, Endpoint
from tenants.scope import active_tenant_id, system_scope

TAKES_TURNS = (
    "The endpoint holds more adapters than fit in its fast memory, so they take turns: a request can wait a moment "
    "until yours is loaded again."
)


@dataclass(frozen=True, kw_only=True)
class OwnCapacity:
    """`take_turns` is None where the endpoint doesn't say how many adapters have a slot."""

    highest_rank: int
    context_tokens: int
    take_turns: bool | None
    adapters: Sequence[HeldAdapter]


def own_capacity(endpoint: Endpoint) -> OwnCapacity:
    """What the active tenant may know of an endpoint. Raises EndpointNotSetUp."""
    highest, context = backend_of(endpoint).max_rank, context_of(endpoint)
    try:
        twin = twin_of(endpoint)
    except ValueError:
        twin = None
    if twin is None:
        return OwnCapacity(highest_rank=highest, context_tokens=context, take_turns=None, adapters=())
    return OwnCapacity(
        highest_rank=highest,
        context_tokens=context,
        take_turns=len(twin.adapters) > twin.setup.slots,
        adapters=[one for one in twin.adapters if one.deployment.tenant_id == active_tenant_id()],
    )


def promotion_note(version: AdapterVersion) -> str:
    """What a full endpoint would mean for a version that is promoted; empty where it isn't full, or nobody knows."""
    place = place_of(version.adapter.base_model_id)
    if place is None:
        return ""
    try:
        setup = backend_of(place).setup(place.base_model.context_length)
    except (EndpointNotSetUp, ValueError):
        return ""
    if setup is None:
        return ""
    with system_scope():
        others = Deployment.objects.filter(endpoint=place, state__in=HELD).exclude(version=version.id).count()
    return TAKES_TURNS if others >= setup.slots else ""
