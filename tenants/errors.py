"""Errors of access."""

from rest.errors import PortalError


class PermissionMissing(PortalError):
    """The person or key belongs to the tenant but may not do this."""

    code = "portal:permission_missing"
    status = 403
