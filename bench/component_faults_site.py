"""A site in front of the AWS stand-in, which runs in this process so that it can be told what goes wrong."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench.promotion_site import BASE, Site, running_site
from portal.demo.standin import BASE_URI, BUCKET, environment_at
from standin.hosting.component import BaseComponent
from standin.hosting.endpoints import HostingTiming
from standin.server import StandIn

ADAPTER_SECONDS = DELETING_SECONDS = 1.0
BASE_COMPONENT = "shared-base"


@dataclass(frozen=True)
class AwsSite:
    """The site, and the AWS that it sees."""

    site: Site
    standin: StandIn

    @property
    def base(self) -> BaseComponent:
        """The base model's component."""
        found = self.standin.hosting.components.by_name[BASE_COMPONENT]
        assert isinstance(found, BaseComponent)
        return found

    def adapters(self) -> dict[str, str]:
        """The status of every adapter's component, by the name of its deployment."""
        from serving.models import Endpoint

        mark = _backend(Endpoint.objects.get()).component("")
        with self.standin.hosting.lock:
            self.standin.hosting.advance()
            found = self.standin.hosting.components.by_name.values()
            return {one.name.removesuffix(mark): one.status for one in found if one.name != BASE_COMPONENT}

    def component(self, deployment: str) -> str:
        """The name of a deployment's component."""
        from serving.models import Endpoint

        return str(_backend(Endpoint.objects.get()).component(deployment))


@contextmanager
def running_aws_site() -> Iterator[AwsSite]:
    """`manage.py up`, an endpoint of inference components and its base model in service."""
    with tempfile.TemporaryDirectory(prefix="adapter-portal-bench-aws-") as folder, patch.dict(os.environ):
        timing = HostingTiming(adapter=ADAPTER_SECONDS, deleting=DELETING_SECONDS)
        standin = StandIn(Path(folder), hosting_timing=timing).start()
        try:
            standin.make_bucket(BUCKET)
            standin.put_folder(BASE, BASE_URI)
            os.environ |= environment_at(standin.url)
            with running_site() as site:
                from django.core.management import call_command

                call_command("endpoint", "create", "--yes", "--poll", "1")
                engine = standin.hosting.components.by_name[BASE_COMPONENT].engine  # type: ignore[attr-defined]
                yield AwsSite(replace(site, engine=engine.url), standin)
        finally:
            standin.stop()


def _backend(endpoint: Any) -> Any:
    from serving.endpoints.queries import backend_of

    return backend_of(endpoint)
