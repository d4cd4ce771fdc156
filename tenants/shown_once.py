"""Secrets that are shown once: they wait in the session for the next page of the tenant they belong to."""

from tenants.requests import TenantRequest


def show_once(request: TenantRequest, name: str, values: dict[str, str | bool]) -> None:
    """Keep the values for the page that the answer redirects to."""
    request.session[name] = {"tenant": str(request.tenant.id), "values": values}


def take_shown_once(request: TenantRequest, name: str) -> dict[str, str | bool] | None:
    """Take the kept values out of the session. None if there are none, or if they are another tenant's."""
    kept = request.session.pop(name, {})
    values: dict[str, str | bool] | None = kept.get("values")
    return values if kept.get("tenant") == str(request.tenant.id) else None
