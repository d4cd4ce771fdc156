"""SageMaker's models: an image, where its files are, and its environment."""

from dataclasses import dataclass
from typing import Any

from standin.errors import invalid
from standin.hosting.listing import Request, page


@dataclass(kw_only=True)
class Model:
    """A model as it was asked for; it never changes."""

    name: str
    arn: str
    request: Request
    created_at: float

    @property
    def modified_at(self) -> float:
        return self.created_at

    @property
    def status(self) -> str:
        return ""

    @property
    def container(self) -> Request:
        found: Request = self.request["PrimaryContainer"]
        return found

    @property
    def files(self) -> str:
        """The s3:// prefix of its files, empty if it has none."""
        return str(self.container.get("ModelDataSource", {}).get("S3DataSource", {}).get("S3Uri", ""))


class Models:
    """Models by name."""

    def __init__(self, arn: str) -> None:
        self._arn = arn
        self.by_name: dict[str, Model] = {}

    def create(self, request: Request, now: float) -> Request:
        name = request["ModelName"]
        if name in self.by_name:
            raise invalid(f'Cannot create already existing model "{self.by_name[name].arn}".')
        if "PrimaryContainer" not in request:
            raise invalid("The stand-in's models need a PrimaryContainer.")
        if "Image" not in request["PrimaryContainer"]:
            raise invalid("PrimaryContainer needs an Image.")
        arn = f"{self._arn}:model/{name.lower()}"
        self.by_name[name] = Model(name=name, arn=arn, request=request, created_at=now)
        return {"ModelArn": arn}

    def describe(self, request: Request, now: float) -> Request:
        model = self.find(request["ModelName"])
        members = ("PrimaryContainer", "ExecutionRoleArn", "VpcConfig", "EnableNetworkIsolation")
        told = {name: model.request[name] for name in members if name in model.request}
        return {"ModelName": model.name, "ModelArn": model.arn, "CreationTime": model.created_at, **told}

    def delete(self, request: Request, now: float) -> Request:
        del self.by_name[self.find(request["ModelName"]).name]
        return {}

    def list(self, request: Request, now: float) -> Request:
        return page(self.by_name.values(), request, "Models", _summary)

    def find(self, name: str) -> Model:
        """Raises AWS's error if there is none."""
        if name not in self.by_name:
            raise invalid(f'Could not find model "{self._arn}:model/{name.lower()}".')
        return self.by_name[name]


def _summary(model: Model) -> dict[str, Any]:
    return {"ModelName": model.name, "ModelArn": model.arn, "CreationTime": model.created_at}
