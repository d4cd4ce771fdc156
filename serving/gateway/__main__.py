"""`python -m serving.gateway`: the gateway, until it is told to end."""

import argparse
import os
import sys

import django
import uvicorn
from django.core.checks import run_checks

from rest.tracing.start import start_tracing


def main() -> None:
    """Serve at --host and --port, which other gateways may serve too if all have --share-port."""
    parser = argparse.ArgumentParser(prog="python -m serving.gateway", description=main.__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--share-port", action="store_true", help="let other gateways listen at the same port")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    refuse_unsafe_site()
    from serving.gateway.listening import allow_many_connections, server_config, shared_socket
    from serving.gateway.server import create_app

    start_tracing("adapter-portal-gateway")

    allow_many_connections()
    server = uvicorn.Server(server_config(create_app(), host=options.host, port=options.port))
    server.run(sockets=[shared_socket(options.host, options.port)] if options.share_port else None)
    if not server.started:
        sys.exit(1)


def refuse_unsafe_site() -> None:
    """A hosted site's gateway starts under the conditions of its web: those that the portal registers as `hosted`."""
    faults = run_checks(tags=["hosted"], include_deployment_checks=True, databases=["default"])
    if faults:
        sys.exit("This site is not safe to start:\n" + "\n".join(f"- {fault.msg}" for fault in faults))


if __name__ == "__main__":
    main()
