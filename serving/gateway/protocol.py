"""The limits of the gateway's connections, and health checks apart from them."""

from collections import Counter
from typing import Any, ClassVar

from django.conf import settings
from starlette.types import ASGIApp, Receive, Scope, Send

from rest.guard import GuardedProtocol
from serving.gateway.errors import GatewayError

HEALTH = "/health"
CROWDED_SECONDS = 1.0
CROWD = 4

_open_by_address: Counter[str] = Counter()


class GatewayProtocol(GuardedProtocol):
    """One connection to the gateway.

    Beyond `connections_per_address` an address is only told of the gateway's health, in a connection that is short; a
    supervisor or a proxy shares its address with others. Beyond CROWD times as many it is told nothing.
    """

    most_per_address: ClassVar[int] = 0
    connections_per_address: ClassVar[int] = settings.GATEWAY_CONNECTIONS_PER_ADDRESS

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        _open_by_address[self._address] += 1
        over = _open_by_address[self._address] / self.connections_per_address if self.connections_per_address else 0
        if over > CROWD:
            transport.abort()
        elif over > 1:
            self.app = only_health(self.app)
            self._expect(CROWDED_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        _open_by_address[self._address] -= 1
        if not _open_by_address[self._address]:
            del _open_by_address[self._address]
        super().connection_lost(exc)


def only_health(app: ASGIApp) -> ASGIApp:
    """An application that refuses everything but health checks, and ends the connection after each."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_last(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            await send(message)

        if scope["type"] != "http" or scope["path"] == HEALTH:
            await app(scope, receive, send_last)
            return
        text = "Your address has too many open connections. Reuse them, or open fewer at a time."
        error = GatewayError(429, text, "too_many_connections", retry_after=1)
        await error.response()(scope, receive, send_last)

    return answer
