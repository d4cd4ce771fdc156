"""Downloads of a month's charges, for an organisation and for the operator."""

from django.http import FileResponse, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from metering.focus.downloads import focus_response, metadata_response, unknown_response
from metering.focus.export import FORMATS, Format
from metering.focus.organisations import organisation_named
from metering.focus.periods import GRAINS, Month, month_named
from metering.models import Grain
from tenants.access import members_only, operators_only
from tenants.models import Tenant
from tenants.permissions import Action
from tenants.requests import TenantRequest


@require_safe
@members_only(Action.USAGE_VIEW)
def charges(request: TenantRequest) -> FileResponse:
    """The organisation's own charges of `?month=2026-10`, this month by default; also `?file_type=` and `?grain=`."""
    return focus_response(_month(request), only=request.membership.tenant, file_type=_file_type(request))


@require_safe
@members_only(Action.USAGE_VIEW)
def unknown(request: TenantRequest) -> FileResponse:
    """What of it has no known cost."""
    return unknown_response(_month(request), only=request.membership.tenant)


@require_safe
@members_only(Action.USAGE_VIEW)
def metadata(request: TenantRequest) -> HttpResponse:
    """The schema of the organisation's file and how recent it is; also `?file_type=` and `?grain=`."""
    return metadata_response(_month(request), only=request.membership.tenant, file_type=_file_type(request))


@require_safe
@operators_only
def charges_of_all(request: HttpRequest) -> FileResponse:
    """All charges of the site; of one with `?organisation=SLUG`; endpoints as one charge each with `?unsplit=1`."""
    only = _organisation(request)
    named = only.slug if only else ""
    unsplit = only is None and request.GET.get("unsplit") == "1"
    return focus_response(
        _month(request),
        only=only,
        file_type=_file_type(request),
        unsplit=unsplit,
        organisation=named,
    )


@require_safe
@operators_only
def unknown_of_all(request: HttpRequest) -> FileResponse:
    """What of the site's has no known cost."""
    return unknown_response(_month(request), only=_organisation(request))


@require_safe
@operators_only
def metadata_of_all(request: HttpRequest) -> HttpResponse:
    """The schema of a file of the site's and how recent it is, of one organisation with `?organisation=SLUG`."""
    return metadata_response(_month(request), only=_organisation(request), file_type=_file_type(request))


def _month(request: HttpRequest) -> Month:
    now = timezone.now()
    grain = next((one for one in GRAINS if one.value == request.GET.get("grain")), Grain.DAY)
    return month_named(request.GET.get("month") or f"{now:%Y-%m}", now=now, grain=grain)


def _file_type(request: HttpRequest) -> Format:
    return next((one for one in FORMATS if one == request.GET.get("file_type")), "csv")


def _organisation(request: HttpRequest) -> Tenant | None:
    slug = request.GET.get("organisation", "")
    return organisation_named(slug) if slug else None
