"""`manage.py up`: runs the whole site in one terminal until Ctrl-C."""

import argparse
import signal
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.embedded.process import EmbeddedServiceError
from portal.hosted import refuse_unsafe_site
from portal.supervisor.console import Console
from portal.supervisor.processes import Ports
from portal.supervisor.site import Site
from portal.supervisor.supervisor import SupervisorError


class Command(BaseCommand):
    help = "Start database, broker, web, gateway, worker, beat and engine; stop them all on Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = argparse.ArgumentDefaultsHelpFormatter
        parser.add_argument("--host", default="127.0.0.1", help="address for the web server and the gateway")
        parser.add_argument("--port", type=int, default=8000, help="port of the site, or the next free one")
        parser.add_argument("--gateway-port", type=int, default=8001, help="port of the inference gateway")
        parser.add_argument("--engine-port", type=int, default=8002, help="port of the multi-adapter server")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            refuse_unsafe_site()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        ports = Ports(
            host=options["host"],
            web=options["port"],
            gateway=options["gateway_port"],
            engine=options["engine_port"],
        )
        console = Console(settings.PORTAL_VAR / "log")
        site = Site(
            var=settings.PORTAL_VAR,
            base_model=settings.BASE_MODEL_DIR,
            base_id=settings.BASE_MODEL_NAME,
            console=console,
            ports=ports,
            has_engine=not settings.SAGEMAKER_ENDPOINT,
        )
        stopping = False

        def on_signal(_number: int, _frame: object) -> None:
            nonlocal stopping
            if stopping:
                site.kill()
                return
            stopping = True
            raise KeyboardInterrupt

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, on_signal)
        try:
            site.start()
            site.wait_ready()
            console.write("portal", f"ready: {site.ports.web_url} (gateway {site.ports.gateway_url}/v1)")
            while True:
                signal.pause()
        except KeyboardInterrupt:
            console.write("portal", "stopping; press Ctrl-C again to stop immediately")
        except (EmbeddedServiceError, SupervisorError) as error:
            raise CommandError(str(error)) from error
        finally:
            stopping = True
            site.stop()
            console.close()
        self.stdout.write("Stopped.")
