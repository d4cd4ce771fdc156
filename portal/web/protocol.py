"""The limits of the web server's connections."""

from typing import ClassVar

from django.conf import settings

from portal.web.body import STREAMED
from rest.guard import GuardedProtocol

_UPLOAD = (b"content-type", STREAMED.encode())


class WebProtocol(GuardedProtocol):
    """An upload, which can go on where it broke off, may pause for longer than a form."""

    most_per_address: ClassVar[int] = settings.CONNECTIONS_PER_ADDRESS

    def body_seconds(self) -> float:
        return float(settings.UPLOAD_IDLE_SECONDS) if _UPLOAD in self.headers else self.body_idle_seconds
