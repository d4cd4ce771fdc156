"""Handing out adapter packages and their manifests."""

from django.http import FileResponse, JsonResponse

from adapters.models import AdapterVersion
from storage.errors import ObjectMissing
from storage.objects import open_object


def package_response(version: AdapterVersion) -> FileResponse:
    """The package as a streamed download, named after the adapter, whose name is a slug; raises ObjectMissing."""
    try:
        package = open_object(version.package_key)
    except FileNotFoundError:
        raise ObjectMissing from None
    response = FileResponse(
        package,
        as_attachment=True,
        filename=f"{version.adapter.name}-v{version.number}.tar.gz",
        content_type="application/gzip",
    )
    response["Content-Length"] = str(version.package_bytes)
    response["ETag"] = f'"{version.package_sha256}"'
    return response


def manifest_response(version: AdapterVersion) -> JsonResponse:
    """The manifest as a download, named like the package."""
    response = JsonResponse(version.manifest, json_dumps_params={"indent": 2, "sort_keys": True})
    name = f"{version.adapter.name}-v{version.number}-manifest.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
