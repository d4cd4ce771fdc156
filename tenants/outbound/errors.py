"""Why a request to an address that somebody entered brought no response."""


class OutboundError(Exception):
    """`text` says why in words that a person may read; it holds no secret."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Forbidden(OutboundError):
    """The address must not be asked, or it leads elsewhere."""


class Unreachable(OutboundError):
    """No connection."""


class TooSlow(OutboundError):
    """No response in time."""


class Unreadable(OutboundError):
    """A response that is too large, or packed."""
