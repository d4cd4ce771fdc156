"""An ASGI scope as a WSGI environment (PEP 3333)."""

import sys
from typing import Any
from urllib.parse import unquote_to_bytes

from uvicorn._types import HTTPScope

from portal.web.body import Body


def environ_of(scope: HTTPScope, body: Body, length: int | None) -> dict[str, Any]:
    """What the application reads; `length` is the body's size in bytes where that is known."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        # From the bytes: what is no UTF-8 is the application's to refuse.
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    server, client = scope.get("server"), scope.get("client")
    environ["SERVER_NAME"], environ["SERVER_PORT"] = (server[0], str(server[1])) if server else ("localhost", "80")
    environ["REMOTE_ADDR"] = client[0] if client else ""
    for name, value in scope["headers"]:
        _add_header(environ, name.decode("latin-1"), value.decode("latin-1"))
    environ.pop("CONTENT_LENGTH", None)
    if length is not None:
        environ["CONTENT_LENGTH"] = str(length)
    return environ


def _add_header(environ: dict[str, Any], name: str, value: str) -> None:
    if "_" in name:
        # It would look the same as one with a dash, which a proxy may have set or removed.
        return
    key = name.upper().replace("-", "_")
    if key == "CONTENT_TYPE":
        environ[key] = value
        return
    key = key if key == "CONTENT_LENGTH" else f"HTTP_{key}"
    environ[key] = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{value}" if key in environ else value
