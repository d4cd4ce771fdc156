"""`python -m serving.gateway`: the gateway, until it is told to end."""

import argparse
import os
import sys

import django
import uvicorn


def main() -> None:
    """Serve at --host and --port."""
    parser = argparse.ArgumentParser(prog="python -m serving.gateway", description=main.__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    from serving.gateway.listening import allow_many_connections, server_config
    from serving.gateway.server import create_app

    allow_many_connections()
    server = uvicorn.Server(server_config(create_app(), host=options.host, port=options.port))
    server.run()
    if not server.started:
        sys.exit(1)


if __name__ == "__main__":
    main()
