"""The errors that people and integrations read.

Services raise them. The browser shows them on the form or page; the REST API sends them as problem+json (RFC 9457).

    PortalError
    ├── NotFound                   404
    ├── Conflict                   409  storage, corpora, adapters and jobs derive their own from it
    ├── PermissionMissing          403  tenants.errors
    ├── StorageUnavailable         503  storage.errors
    ├── ObjectMissing              503  storage.errors
    └── DiskFull                   507  storage.errors

Errors that only one app raises are in that app's `errors.py`.
"""

from django.forms import BaseForm


class PortalError(Exception):
    """A request cannot be fulfilled; `text` says why and what to do next.

    `code` is stable (`dataset:broken_line`). `status` is the HTTP status. `field` names the invalid input. `extra`
    holds details such as a line number.
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
        """Show the text at the form field named `field`, or above the form. `options.seed` is the form field `seed`."""
        name = (self.field or "").removeprefix("options.")
        form.add_error(name if name in form.fields else None, self.text)


class NotFound(PortalError):
    """The object does not exist in this tenant; another tenant's object gives the same error."""

    code = "portal:not_found"
    status = 404


class Conflict(PortalError):
    """The object's state does not allow this, or another request was faster."""

    code = "portal:conflict"
    status = 409
