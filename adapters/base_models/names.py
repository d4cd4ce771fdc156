"""What a base model may be called."""

from collections.abc import Callable, Iterable

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug

from adapters.models import Adapter, BaseModel
from rest.errors import Conflict, PortalError
from tenants.models import TenantModel
from tenants.scope import system_scope

NAME_IN_USE = "base_model:name_in_use"

SHOWN = 3
"""Uses of a name that an error lists."""

Uses = Callable[[str], Iterable[TenantModel]]

_also_uses: list[Uses] = []


def also_used_by(uses: Uses) -> None:
    """Keep new base models off the names of these rows. Higher floors register here, in `AppConfig.ready`, what
    tenants call at the gateway as they call a base model."""
    if uses not in _also_uses:
        _also_uses.append(uses)


def check_name(name: str) -> None:
    """Raise PortalError for a name that callers can't send, and that is no folder's."""
    try:
        validate_slug(name)
    except ValidationError:
        text = "A name has letters, digits, hyphens and underscores only. It is what callers send as `model`."
        raise PortalError(text, code="base_model:bad_name", field="name") from None


def refuse_in_use(name: str) -> None:
    """Raise Conflict for the name of a new base model that a tenant's callers send as `model` already.

    Its text names organisations: for operators only, and not for logs.
    """
    if BaseModel.objects.filter(name=name).exists():
        return
    if uses := uses_of(name):
        text = (
            f"“{name}” is the name of {in_words(uses)}, and callers send it as the model already. Choose another name."
        )
        raise Conflict(text, code=NAME_IN_USE, field="name")


def uses_of(name: str) -> list[tuple[str, str]]:
    """What all tenants call by that name at the gateway: the kind, such as “adapter”, and the tenant's name."""
    with system_scope():
        rows: list[TenantModel] = [*Adapter.objects.select_related("tenant").filter(name=name)]
        rows += [row for uses in _also_uses for row in uses(name)]
        return sorted((str(row._meta.verbose_name), row.tenant.name) for row in rows)


def kind_called(name: str) -> str:
    """What else of the active tenant has that name at the gateway, such as “router”; empty if nothing."""
    rows = (row for uses in _also_uses for row in uses(name))
    return next((str(row._meta.verbose_name) for row in rows), "")


def in_words(uses: list[tuple[str, str]]) -> str:
    """As in “an adapter of Alder Law and a router of Cedar Care”."""
    said = [f"{'an' if kind[0] in 'aeiou' else 'a'} {kind} of {tenant}" for kind, tenant in uses]
    if len(said) > SHOWN:
        said = [*said[:SHOWN], f"{len(said) - SHOWN} more"]
    return " and ".join(filter(None, (", ".join(said[:-1]), said[-1])))
