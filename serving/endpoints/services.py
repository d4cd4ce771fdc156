"""Writes to endpoints, and the place of a tenant that promotes for the first time."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction

from adapters.models import BaseModel
from rest.errors import Conflict, PortalError
from serving.backends import endpoints
from serving.backends.base import PRICE
from serving.endpoints.queries import place_of, usual_options
from serving.endpoints.states import move_endpoint
from serving.endpoints.waking import wake_reconciler
from serving.models import UNSETTLED, Deployment, Endpoint, EndpointState, Placement, Route
from tenants.scope import system_scope

NAME = re.compile(r"[a-z0-9](-?[a-z0-9]){0,29}")

log = structlog.get_logger(__name__)


def ensure_endpoint(*, name: str, backend: str, base_model: BaseModel) -> Endpoint:
    """The endpoint of that name, on the backend and base model given, as the settings describe it."""
    known = Endpoint.objects.filter(name=name).first()
    if known is not None and known.base_model_id != base_model.id:
        # Of its former base it was the default; of the new one another may be.
        Endpoint.objects.filter(id=known.id).update(is_default=False)
    endpoint, _ = Endpoint.objects.update_or_create(name=name, defaults={"backend": backend, "base_model": base_model})
    _have_default(endpoint)
    return endpoint


@transaction.atomic
def create_endpoint(*, name: str, backend: str, base_model: BaseModel, options: Mapping[str, Any]) -> Endpoint:
    """A further endpoint on an alias of ENDPOINTS, with `options` of its own. One in a cloud costs from now on.

    Raises what `plan_endpoint` does.
    """
    checked = plan_endpoint(name=name, backend=backend, base_model=base_model, options=options)
    endpoint, _ = Endpoint.objects.update_or_create(
        name=name, defaults={"backend": backend, "base_model": base_model, "options": checked, "is_default": False}
    )
    _have_default(endpoint)
    if endpoint.state == EndpointState.DELETED or endpoints.of(backend, checked).provision() is not None:
        make_endpoint(endpoint=endpoint)
    log.info("endpoint_created", endpoint=name, backend=backend)
    return endpoint


def plan_endpoint(*, name: str, backend: str, base_model: BaseModel, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that such an endpoint would have. Writes nothing.

    Raises PortalError with `field`: endpoint:bad_name, endpoint:no_backend, endpoint:bad_options,
    endpoint:base_not_in_s3; Conflict: endpoint:name_taken, endpoint:same_server.
    """
    if not NAME.fullmatch(name):
        text = "Use up to 30 lower-case letters, digits and single hyphens, with a letter or digit at both ends."
        raise PortalError(text, code="endpoint:bad_name", field="name")
    if backend not in endpoints:
        raise PortalError(f"ENDPOINTS has no {backend!r}.", code="endpoint:no_backend", field="backend")
    if Endpoint.objects.standing().filter(name=name).exists():
        raise Conflict(f"There is an endpoint called {name}.", code="endpoint:name_taken", field="name")
    alias = endpoints[backend]
    apart = alias.apart(name, base_model.name, settings.ENDPOINTS[backend].get("OPTIONS", {}))
    own = _own(backend, options)
    brought = alias.suited(model_uri=base_model.sagemaker_uri, instance_type=base_model.serving_instance)
    _refuse_other_weights(backend, base_model, {**brought, **own})
    checked = {**brought, **own, **apart}
    _check(name, backend, checked)
    return checked


def make_endpoint(*, endpoint: Endpoint) -> None:
    """Make what is missing of an endpoint: at first, or after it failed or was deleted. Raises Conflict."""
    _move(endpoint, EndpointState.CREATING)
    log.info("endpoint_is_made", endpoint=endpoint.name)


@transaction.atomic
def change_endpoint(*, endpoint: Endpoint, options: Mapping[str, Any]) -> None:
    """Give it other options of its own and bring it to them, while it answers.

    Raises what `plan_change` does; Conflict: endpoint:busy.
    """
    checked = plan_change(endpoint=endpoint, options=options)
    again = EndpointState.CREATING if endpoint.state == EndpointState.FAILED else EndpointState.CHANGING
    _move(endpoint, again, options=checked)
    log.info("endpoint_changes", endpoint=endpoint.name, options=sorted(options))


def plan_change(*, endpoint: Endpoint, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that it would have then. Writes nothing.

    Raises PortalError with `field`: endpoint:bad_options; Conflict: endpoint:same_server.
    """
    kept = {name: value for name, value in endpoint.options.items() if name not in _names(endpoint.backend)}
    checked = {**kept, **_own(endpoint.backend, options)}
    _check(endpoint.name, endpoint.backend, checked)
    return checked


@transaction.atomic
def delete_endpoint(*, endpoint: Endpoint, with_live_adapters: bool = False) -> None:
    """Delete it with all that costs; tenants that were placed here and have nothing live are free to go elsewhere.

    Deployments `with_live_adapters` keep their rows, so that they come back with the endpoint if it is made again.
    Raises Conflict: endpoint:in_use, endpoint:busy.
    """
    if not with_live_adapters:
        with system_scope():
            _refuse_used(endpoint)
            Placement.objects.filter(endpoint=endpoint).delete()
    _move(endpoint, EndpointState.DELETING)
    log.info("endpoint_is_deleted", endpoint=endpoint.name)


@transaction.atomic
def make_default(*, endpoint: Endpoint) -> None:
    """Let tenants without a place come here. Those that have promoted stay where they are."""
    Endpoint.objects.filter(base_model=endpoint.base_model_id, is_default=True).update(is_default=False)
    Endpoint.objects.filter(id=endpoint.id).update(is_default=True)
    endpoint.refresh_from_db()


@transaction.atomic
def take_place(*, base_model: BaseModel) -> Endpoint:
    """The endpoint where the active tenant's adapters of a base model go, which is its place from now on.

    Raises Conflict: promotion:no_endpoint.
    """
    endpoint = place_of(base_model.id)
    if endpoint is None or not endpoint.is_serving:
        why = f"The endpoint {endpoint.name} is not in service." if endpoint else f"No endpoint serves {base_model}."
        raise Conflict(f"{why} Ask your site’s operator.", code="promotion:no_endpoint")
    placement, _ = Placement.objects.get_or_create(base_model=base_model, defaults={"endpoint": endpoint})
    placed: Endpoint = placement.endpoint
    return placed


def _have_default(endpoint: Endpoint) -> None:
    """Make it the default of its base model if none is."""
    if not Endpoint.objects.standing().filter(base_model=endpoint.base_model_id, is_default=True).exists():
        make_default(endpoint=endpoint)


def _refuse_used(endpoint: Endpoint) -> None:
    if aliases := Route.objects.filter(active__endpoint=endpoint).count():
        what = "1 adapter is" if aliases == 1 else f"{aliases} adapters are"
        text = f"{what} live on {endpoint.name}. Move its tenants to another endpoint first."
        raise Conflict(text, code="endpoint:in_use")
    if Deployment.objects.filter(endpoint=endpoint, state__in=UNSETTLED).exists():
        text = f"A promotion, trial or move is putting an adapter on {endpoint.name}. Try again when it has ended."
        raise Conflict(text, code="endpoint:in_use")


def _move(endpoint: Endpoint, to: EndpointState, **changes: Any) -> None:
    if not move_endpoint(endpoint, to, **changes):
        endpoint.refresh_from_db()
        text = f"{endpoint.name} is {endpoint.get_state_display().lower()} now. Try again when that is over."
        raise Conflict(text, code="endpoint:busy")
    wake_reconciler()


def _names(backend: str) -> set[str]:
    return {option.name for option in endpoints[backend].own}


def _own(backend: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that an endpoint may set for itself, as the type of their default. Raises PortalError."""
    alias = endpoints[backend]
    wanted = {}
    for name, value in options.items():
        if name not in _names(backend):
            raise PortalError(f"{name} can’t be set for one endpoint.", code="endpoint:bad_options", field=name)
        try:
            wanted[name] = _like(alias.options[name], value)
        except (TypeError, ValueError):
            raise PortalError(f"{name} must be a number.", code="endpoint:bad_options", field=name) from None
    return wanted


def _like(default: Any, value: Any) -> Any:
    """`value`, which a form or a command may give as text, as the type of the default. Raises ValueError, TypeError."""
    if isinstance(default, tuple):
        parts = re.split(r"[\s,]+", value) if isinstance(value, str) else value
        return [str(part) for part in parts if part]
    return type(default)(value)


def _refuse_other_weights(backend: str, base_model: BaseModel, options: Mapping[str, Any]) -> None:
    """Where the settings name one base model and its files, an endpoint of another must not serve these files."""
    usual = usual_options(backend)
    if "MODEL_URI" in usual and "MODEL_URI" not in options and usual.get("BASE_MODEL") != base_model.name:
        text = f"{base_model.title} has no location for SageMaker. Give it one on its page, or enter it here."
        raise PortalError(text, code="endpoint:base_not_in_s3", field="MODEL_URI")


def _check(name: str, backend: str, options: Mapping[str, Any]) -> None:
    try:
        provision = endpoints.planned(backend, options).provision()
    except ValueError as error:
        text = str(error)
        field = next((option for option in sorted(_names(backend), key=len, reverse=True) if option in text), None)
        raise PortalError(f"{text}.", code="endpoint:bad_options", field=field) from error
    if provision is None:
        _check_server(name, backend, options)


def _check_server(name: str, backend: str, options: Mapping[str, Any]) -> None:
    """Two endpoints on one server would take each other's adapters off it.

    What tells servers apart are words without a default: their addresses.
    """
    usual, prices = endpoints[backend].options, {option.name for option in PRICE}
    words = [option.name for option in endpoints[backend].own if usual[option.name] in ("", ())]
    telling = [*(name for name in words if name not in prices), *endpoints[backend].apart_by]
    if not telling:
        return
    wanted = _values(backend, options, telling)
    for other in Endpoint.objects.standing().filter(backend=backend).exclude(name=name):
        if _values(backend, other.options, telling) == wanted:
            text = f"{other.name} is on this server already. Give each endpoint a server of its own."
            raise Conflict(text, code="endpoint:same_server", field=telling[0])


def _values(backend: str, options: Mapping[str, Any], names: Iterable[str]) -> list[Any]:
    have = {**usual_options(backend), **options}
    return [list(have[name]) if isinstance(have[name], tuple) else have[name] for name in names]
