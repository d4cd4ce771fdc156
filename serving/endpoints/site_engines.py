"""Endpoints that nobody has to make: of base models in folders of this machine, on engines of the site."""

import re
from pathlib import Path

import structlog

from adapters.models import BaseModel
from rest.errors import PortalError
from serving.backends import endpoints
from serving.endpoints.services import NAME, create_endpoint
from serving.models import Deployment, Endpoint, EndpointState, Placement
from tenants.scope import system_scope

ALIAS = "engines"

log = structlog.get_logger(__name__)


def ensure_site_engines() -> None:
    """Make an endpoint for every such base model that never had one. One that the operator deleted stays away."""
    if ALIAS not in endpoints:
        return
    for base_model in BaseModel.objects.exclude(id__in=Endpoint.objects.values("base_model")):
        if not base_model.location or not Path(base_model.location).is_dir():
            continue
        try:
            create_endpoint(name=_name(base_model), backend=ALIAS, base_model=base_model, options={})
        except PortalError as error:
            log.error("site_engine_not_made", base_model=base_model.name, code=error.code)


def forget_site_engines(base_model: BaseModel) -> None:
    """Let a base model go that nobody has promoted on: its endpoint on an engine of the site, or what a deleted one
    has left, goes with it."""
    with system_scope():
        unused = Endpoint.objects.filter(base_model=base_model).exclude(id__in=Deployment.objects.values("endpoint"))
        unused = unused.exclude(id__in=Placement.objects.values("endpoint"))
        for endpoint in unused:
            if endpoint.backend == ALIAS or endpoint.state == EndpointState.DELETED:
                endpoint.delete()


def _name(base_model: BaseModel) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", base_model.name.lower()).strip("-")
    name = words[:30].rstrip("-")
    is_free = NAME.fullmatch(name) and not Endpoint.objects.filter(name=name).exists()
    return name if is_free else f"base-{base_model.id.hex[:8]}"
