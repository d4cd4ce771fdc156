"""Why a base model could not be fetched."""

from functools import partial

from rest.errors import PortalError

cannot_fetch = partial(PortalError, code="base_model:cannot_fetch", field="folder")
