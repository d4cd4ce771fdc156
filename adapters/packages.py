"""Handing out adapter packages."""

from django.http import FileResponse

from adapters.models import AdapterVersion
from tenants.objects import open_object


def package_response(version: AdapterVersion) -> FileResponse:
    """The package as a streamed download, named after the adapter, whose name is a slug."""
    response = FileResponse(
        open_object(version.package_key),
        as_attachment=True,
        filename=f"{version.adapter.name}-v{version.number}.tar.gz",
        content_type="application/gzip",
    )
    response["Content-Length"] = str(version.package_bytes)
    response["ETag"] = f'"{version.package_sha256}"'
    return response
