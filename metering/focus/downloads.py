"""Files of a month as downloads. They are written to disk first, since a file that streams has no tenant any more."""

import tempfile
from typing import IO

from django.http import FileResponse, HttpResponse
from django.utils.http import content_disposition_header, urlencode

from metering.focus.columns import VERSION
from metering.focus.export import FORMATS, Format, write_focus, write_without_price
from metering.focus.metadata import focus_metadata
from metering.focus.periods import Month
from tenants.models import Tenant


def focus_response(
    month: Month, *, only: Tenant | None, file_type: Format = "csv", unsplit: bool = False, organisation: str = ""
) -> FileResponse:
    """A month's charges with a known cost, with a link to its metadata: `organisation` is named in it."""
    file = _file()
    write_focus(file, month, only=only, file_type=file_type, unsplit=unsplit)
    response = _response(file, f"FOCUS {VERSION} {_whose(only)} {month.name}.{file_type}", FORMATS[file_type])
    query = {"month": month.name, "grain": month.grain.value, "file_type": file_type}
    named = {"organisation": organisation} if organisation else {}
    response["Link"] = f'<metadata/?{urlencode({**query, **named})}>; rel="describedby"; type="application/json"'
    return response


def metadata_response(month: Month, *, only: Tenant | None, file_type: Format = "csv") -> HttpResponse:
    """The schema of such a file, and how recent it is."""
    body = focus_metadata(month, only=only, file_type=file_type)
    name = f"FOCUS {VERSION} {_whose(only)} {month.name}.{file_type}.metadata.json"
    headers = {"Content-Disposition": content_disposition_header(as_attachment=True, filename=name) or ""}
    return HttpResponse(body, content_type="application/json", headers=headers)


def unknown_response(month: Month, *, only: Tenant | None) -> FileResponse:
    """What has no known cost."""
    file = _file()
    write_without_price(file, month, only=only)
    return _response(file, f"Without price {_whose(only)} {month.name}.csv", FORMATS["csv"])


def _whose(only: Tenant | None) -> str:
    return only.slug if only else "all"


def _file() -> IO[bytes]:
    # The response closes it.
    return tempfile.TemporaryFile()


def _response(file: IO[bytes], name: str, kind: str) -> FileResponse:
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=name, content_type=kind)
