"""`manage.py demo`: runs every stage for two tenants, then leaves the site running."""

import json
import os
import secrets
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.demo import report
from portal.demo.bases import BASES, TINY
from portal.demo.cast import DemoTenant
from portal.demo.client import DemoError
from portal.demo.cloudwatch import beside_cloudwatch, read_now
from portal.demo.line import Site as DemoSite
from portal.demo.line import run_line
from portal.demo.screen import Screen
from portal.demo.standin import aws_standin, create_endpoint
from portal.embedded.process import EmbeddedServiceError
from portal.supervisor.console import Console
from portal.supervisor.site import Site
from portal.supervisor.supervisor import SupervisorError


class Command(BaseCommand):
    help = "Start the site and take two tenants through it: upload, train, evaluate, review, promote, ask, cost."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="stop everything after the report")
        parser.add_argument("--base", choices=list(BASES), default=TINY.key, help="the base model, tiny unless chosen")
        parser.add_argument(
            "--aws", choices=["standin"], help="train and serve in SageMaker's stand-in, objects in its S3"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _interrupt)
        self.base = BASES[options["base"]]
        if options["aws"] and self.base is not TINY:
            raise CommandError("--aws standin trains and serves the tiny base only. Leave out --base.")
        self.var, self.report_name = self.base.var_folder(settings.PORTAL_VAR), self.base.report_name
        self.own = self._own_settings()
        os.environ |= self.own
        with ExitStack() as stack:
            if options["aws"]:
                self.report_name = f"demo-report-{options['aws']}.json"
                # The stand-in's S3 is deleted when it ends, so the database that refers to it must not stay either.
                self.var = stack.enter_context(_passing_folder())
                os.environ |= stack.enter_context(aws_standin(self.var, settings.BASE_MODEL_DIR))
            self._run(once=options["once"], has_engine=not options["aws"])

    def _own_settings(self) -> dict[str, str]:
        """What the site's processes are told of a base that is not the site's own."""
        try:
            return self.base.environment(settings.PORTAL_VAR)
        except FileNotFoundError as error:
            text = f"{error.filename} is missing. Fetch the base model with: make base-{self.base.key}"
            raise CommandError(text) from error

    def _run(self, *, once: bool, has_engine: bool) -> None:
        screen = Screen(sys.stdout)
        console = Console(self.var / "log", screen=None)
        self.base_id = self.own.get("BASE_MODEL_NAME", settings.BASE_MODEL_NAME)
        site = Site(
            var=self.var,
            base_model=Path(self.own.get("BASE_MODEL_DIR", settings.BASE_MODEL_DIR)),
            base_id=self.base_id,
            console=console,
            has_engine=has_engine,
        )
        try:
            screen.tell("Site", "starting")
            site.start()
            site.wait_ready()
            if not has_engine:
                create_endpoint(self.var)
            ok = self._walk(site, screen, with_canary=not has_engine)
            if ok and not has_engine:
                ok = self._beside(site, screen)
            if not once:
                screen.say(self._invitation(site))
                signal.pause()
        except KeyboardInterrupt:
            ok = False
            screen.say("Stopping.")
        except (EmbeddedServiceError, SupervisorError) as error:
            raise CommandError(str(error)) from error
        finally:
            site.stop()
            console.close()
        if once and not ok:
            raise CommandError("The demo failed. The report names the stage.")

    def _walk(self, site: Site, screen: Screen, *, with_canary: bool) -> bool:
        started = time.monotonic()
        self.password = _password(self.var / "run" / "demo-password")
        where = DemoSite(
            site.ports.web_url, site.ports.gateway_url, self.password, self.base_id, with_canary=with_canary
        )
        self.keys = keys = self._seed(site)
        rows, errors = [], {}
        tenants, gain = self.base.tenants, self.base.required_gain
        with ThreadPoolExecutor(len(tenants)) as pool:
            walks = [
                pool.submit(run_line, demo, where, keys[demo.slug], screen.tell, required_gain=gain) for demo in tenants
            ]
        for demo, walk in zip(tenants, walks, strict=True):
            try:
                rows.append(walk.result())
            except DemoError as error:
                errors[demo.name] = str(error)
        seconds = time.monotonic() - started
        path = settings.PORTAL_VAR / self.report_name
        report.write(path, rows, seconds, errors, base_model=self.base_id)
        screen.say("")
        if rows:
            screen.say(report.table(rows, legend=self.base.legend))
        for name, text in errors.items():
            screen.say(f"{name} failed: {text}")
        weak = [row["tenant"] for row in rows if not row["gain_is_real"]]
        for name in weak:
            screen.say(f"{name} failed: the adapter is not clearly better than its base model.")
        screen.say(f"\nTotal time: {seconds:.0f} s. These figures are also in {path}")
        return not errors and not weak

    def _beside(self, site: Site, screen: Screen) -> bool:
        screen.say("\nWaiting for CloudWatch, which is a minute or two late.")
        try:
            screen.say(beside_cloudwatch(site.ports.web_url, self.keys, lambda: read_now(self.var)))
        except DemoError as error:
            screen.say(f"CloudWatch failed: {error}")
            return False
        screen.say(f"Both are on {site.ports.web_url}/usage/")
        return True

    def _seed(self, site: Site) -> dict[str, str]:
        """Seed in a separate process, whose settings use the database that has just started."""
        command = [sys.executable, "manage.py", "demo_seed", "--base", self.base.key]
        env = os.environ | {"DEMO_PASSWORD": self.password, "PORTAL_VAR": str(self.var)}
        seeded = subprocess.run(command, cwd=settings.BASE_DIR, env=env, capture_output=True, text=True, check=False)
        if seeded.returncode:
            raise SupervisorError(f"manage.py demo_seed failed:\n{seeded.stderr}")
        return {access["slug"]: access["api_key"] for access in json.loads(seeded.stdout)}

    def _invitation(self, site: Site) -> str:
        people = [f"  {_people(demo)}" for demo in self.base.tenants]
        again = " ".join([*(f"{name}={shlex.quote(value)}" for name, value in self._not_usual().items()), "make serve"])
        return "\n".join(
            [
                f"\nThe site is up at {site.ports.web_url} (gateway {site.ports.gateway_url}/v1). Sign in as",
                *people,
                f"with the password {self.password}. Ctrl-C stops everything; to start it again:",
                f"  {again}",
            ]
        )

    def _not_usual(self) -> dict[str, str]:
        """What `make serve` has to be told, so that it serves this demo."""
        return {"PORTAL_VAR": str(self.var), **self.own} if self.own else {}


@contextmanager
def _passing_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="adapter-portal-demo-", ignore_cleanup_errors=True) as name:
        # If this process is root, the embedded database runs as another user.
        Path(name).chmod(0o755)
        yield Path(name)


def _people(demo: DemoTenant) -> str:
    return f"{demo.admin} (admin) or {demo.expert} (expert)"


def _password(path: Path) -> str:
    """The password of the demo's people, kept so that a second demo does not change it."""
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(9))
    return path.read_text()


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
