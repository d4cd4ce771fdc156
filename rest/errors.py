"""The errors that a person or an integration is meant to read.

Services raise them; the browser shows them on the form or page, REST sends them as problem+json (RFC 9457).

    PortalError
    ├── NotFound                   404
    ├── Conflict                   409  storage, corpora, adapters and jobs derive their own from it
    ├── PermissionMissing          403  tenants.errors
    ├── StorageUnavailable         503  storage.errors
    ├── ObjectMissing              503  storage.errors
    └── DiskFull                   507  storage.errors

Every app keeps the errors that only it raises in an `errors.py` of its own.
"""

from django.forms import BaseForm


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

    def show_on(self, form: BaseForm) -> None:
        """Show the text at the form's field of that name, or above the form. `options.seed` is the field `seed`."""
        name = (self.field or "").removeprefix("options.")
        form.add_error(name if name in form.fields else None, self.text)


class NotFound(PortalError):
    """Nothing of that name in this tenant; another tenant's row looks just the same."""

    code = "portal:not_found"
    status = 404


class Conflict(PortalError):
    """The row is not in a state that allows this, or something else got there first."""

    code = "portal:conflict"
    status = 409
