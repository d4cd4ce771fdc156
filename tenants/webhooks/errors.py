"""Why a webhook is refused."""

from rest.errors import Conflict, PortalError


class WrongAddress(PortalError):
    """Not an address that events can be sent to."""

    code = "webhook:address"


class UnknownKind(PortalError):
    """Not a kind of event."""

    code = "webhook:unknown_event"


class TooManyWebhooks(Conflict):
    """The organisation has as many as it may have."""

    code = "webhook:too_many"


class Paused(Conflict):
    """A paused webhook is sent nothing."""

    code = "webhook:paused"
