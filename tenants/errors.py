"""The one error that a person or an integration is meant to read.

It is raised by services, shown on the form or page in the browser, and sent as problem+json (RFC 9457) over REST.
"""


class PortalError(Exception):
    """Something the caller asked for cannot be done; `text` says why and what to do next.

    `code` is stable (`dataset:broken_line`); `status` is the HTTP status; `field` names the input at fault, and
    `extra` carries further facts such as a line number.
    """

    code = "portal:error"
    status = 400

    def __init__(
        self,
        text: str,
        *,
        code: str | None = None,
        status: int | None = None,
        field: str | None = None,
        **extra: str | int | float | None,
    ) -> None:
        super().__init__(text)
        self.text = text
        self.code = code or self.code
        self.status = status or self.status
        self.field = field
        self.extra = extra


class NotFound(PortalError):
    """Nothing of that name in this tenant; another tenant's row looks just the same."""

    code = "portal:not_found"
    status = 404


class PermissionMissing(PortalError):
    """The person or key belongs to the tenant but may not do this."""

    code = "portal:permission_missing"
    status = 403


class Conflict(PortalError):
    """The row is not in a state that allows this, or something else got there first."""

    code = "portal:conflict"
    status = 409


class StorageUnavailable(PortalError):
    """The storage does not answer; what came is kept."""

    code = "platform:storage_unavailable"
    status = 503

    def __init__(self) -> None:
        super().__init__("Our storage does not answer at the moment. Nothing is lost: try again in a minute.")


class DiskFull(PortalError):
    """No room for what is sent; what was safe before is kept."""

    code = "platform:disk_full"
    status = 507

    def __init__(self) -> None:
        super().__init__("We have no room for more at the moment. Nothing is lost: try again in a few minutes.")
