"""Answers a request: checked, routed, and sent to one component of the shared endpoint."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec

from lorakit.front.requests import FrontError, FrontRequest, Kind, read_request
from lorakit.front.routes import Address, Routes
from lorakit.route.header import route_header
from lorakit.route.texts import texts_of

Invoke = Callable[[Address, bytes, str], bytes]
"""Sends a body to a component under a request's ID and returns the answer's body. Raises FrontError."""

MOST_SHOWN = 50


class Source(Protocol):
    """Where routes come from."""

    def routes(self, tenant: str) -> Routes | None:
        """Those of an organisation, by its short name; None where it has none. Raises FrontError."""
        ...


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A response."""

    status: int
    body: bytes
    headers: dict[str, str]


def models(tenant: str, source: Source) -> Answer:
    """The list of models and routers."""
    routes = _routes(tenant, source)
    names = [*routes.models, *routes.routers]
    data = [{"id": name, "object": "model", "created": 0, "owned_by": tenant} for name in sorted(names)]
    return Answer(status=200, body=msgspec.json.encode({"object": "list", "data": data}), headers={})


def answer(tenant: str, kind: Kind, body: bytes, *, request_id: str, source: Source, invoke: Invoke) -> Answer:
    """The model's answer, or why there is none."""
    request = read_request(body, kind)
    routes = _routes(tenant, source)
    name, headers = _route(request, routes)
    address = routes.models.get(name)
    if address is None:
        raise FrontError(404, f"The model `{name[:80]}` is not live.", "model_not_found", "model")
    if address.version:
        headers["x-adapter-version"] = str(address.version)
    given = invoke(address, msgspec.json.encode(request.for_endpoint()), request_id)
    try:
        document = msgspec.json.decode(given)
        document["model"] = name
    except (ValueError, TypeError):
        raise FrontError(502, "The endpoint’s response is not JSON.", "endpoint_error") from None
    return Answer(status=200, body=msgspec.json.encode(document), headers=headers)


def _routes(tenant: str, source: Source) -> Routes:
    routes = source.routes(tenant)
    if routes is None:
        raise FrontError(404, "This organisation has no models here.", "model_not_found")
    return routes


def _route(request: FrontRequest, routes: Routes) -> tuple[str, dict[str, str]]:
    """The model's name, and headers that say why."""
    if request.model in routes.models:
        return request.model, {}
    router = routes.routers.get(request.model)
    if router is None:
        known = ", ".join(sorted([*routes.models, *routes.routers])[:MOST_SHOWN]) or "none yet"
        text = f"The model `{request.model[:80]}` does not exist. Available models: {known}."
        raise FrontError(404, text, "model_not_found", "model")
    decision = router.decide(texts_of(request.document))
    headers = {"x-route": route_header(request.model, router.revision, decision)}
    if decision.target is None:
        text = f"No rule of the router `{request.model}` fits this request, and it has no default."
        raise FrontError(404, text, "no_route", "messages")
    return decision.target, headers
