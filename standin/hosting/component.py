"""An inference component: a base model in a container, or an adapter on it."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from standin.hosting.engine import Engine, LoadFailed
from standin.hosting.listing import Request
from standin.hosting.models import Model
from standin.objects import Objects


@dataclass(kw_only=True)
class Component:
    """`settles_at` is when AWS's part of its present change is over. `base` is None for a base."""

    name: str
    arn: str
    endpoint: str
    variant: str
    specification: Request
    tags: list[dict[str, str]]
    created_at: float
    modified_at: float
    settles_at: float
    status: str = "Creating"
    failure_reason: str = ""
    served: int = field(default=0, compare=False)

    def fail(self, reason: str, now: float) -> None:
        self.status, self.failure_reason, self.modified_at = "Failed", reason[:1024], now

    def settle(self, now: float) -> None:
        """Its change is done."""
        self.status, self.failure_reason, self.modified_at = "InService", "", now


@dataclass(kw_only=True)
class BaseComponent(Component):
    """A base model. The stand-in runs one container however many copies are asked for, and none for none.

    `asked_at` is when it, or an adapter on it, was last invoked.
    """

    model: Model
    copies: int
    folder: Path
    engine: Engine | None = None
    asked_at: float = 0.0

    @property
    def has_capacity(self) -> bool:
        """Whether a copy runs. A container that died is AWS's to restart, and leaves the copy there."""
        return bool(self.copies) and (self.status == "InService" or self.is_ready)

    def advance(self, now: float, objects: Objects) -> None:
        """Start, watch and restart the container as far as the clock allows."""
        if self.status == "Deleting" or self.status == "Failed" or now < self.settles_at:
            return
        if not self.copies:
            self.close()
            self.settle(now)
            return
        if self.engine is None:
            files = self.folder / "model"
            shutil.rmtree(files, ignore_errors=True)
            if not objects.download(self.model.files, files):
                self.fail(f'No S3 objects found under S3 URL "{self.model.files}".', now)
                return
            self.engine = Engine(files, self.folder, self.model.container.get("Environment", {}))
            self.engine.start()
        elif self.engine.has_ended and self.status == "InService":
            # As SageMaker does with a container that died.
            self.engine.start()
        elif self.engine.has_ended:
            self.fail("The primary container did not pass the ping health check. Check CloudWatch logs.", now)
        if self.status != "InService" and self.engine.is_ready():
            self.settle(now)

    @property
    def is_ready(self) -> bool:
        """Whether its container answers."""
        return self.engine is not None and self.engine.is_ready()

    def close(self) -> None:
        if self.engine is not None:
            self.engine.kill()
            self.engine = None


@dataclass(kw_only=True)
class AdapterComponent(Component):
    """An adapter. A lazy one is in service before anybody has looked at its archive."""

    base: BaseComponent
    is_lazy: bool = False

    @property
    def artifact(self) -> str:
        return str(self.specification["Container"]["ArtifactUrl"])

    def advance(self, now: float, objects: Objects) -> None:
        """Load once its base is there; load again into a container that was restarted."""
        if now < self.settles_at or self.status not in {"Creating", "Updating", "InService"}:
            return
        if self.is_lazy and self.status != "InService":
            self.settle(now)
        if self.is_lazy or self.base.engine is None:
            return
        if self.status == "InService" and self.name in self.base.engine.loaded:
            return
        if not self.base.is_ready:
            return
        try:
            self.base.engine.load(self.name, self.artifact, objects)
        except LoadFailed as error:
            self.fail(str(error), now)
        else:
            self.settle(now)
