"""How the gateway listens: uvicorn with the gateway's protocol."""

import resource
import socket

import uvicorn
from starlette.types import ASGIApp

from serving.gateway.protocol import GatewayProtocol

KEEP_ALIVE_SECONDS = 15
STOP_SECONDS = 10


def server_config(app: ASGIApp, *, host: str, port: int) -> uvicorn.Config:
    """The server of one process."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=GatewayProtocol,
        loop="uvloop",
        ws="none",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="warning",
        backlog=1024,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )


def shared_socket(host: str, port: int) -> socket.socket:
    """A socket (IPv4) for a port that several processes of one user listen at.

    The kernel divides new connections among those that are alive. Raises OSError if the port is taken by a process
    that does not share it.
    """
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.bind((host, port))
    return listening


def allow_many_connections() -> None:
    """Open as many files as this process may; half of the usual 1,024 are soon gone on connections."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
