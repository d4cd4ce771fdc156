"""Endpoint configurations and endpoints, in the mode of inference components only."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from standin.errors import AwsError, invalid
from standin.hosting.listing import Request, page


@dataclass(frozen=True)
class HostingTiming:
    """Seconds that AWS takes for each change."""

    endpoint: float = 0.0
    base: float = 0.0
    adapter: float = 0.0
    deleting: float = 0.0
    recommendation: float = 0.0


@dataclass(kw_only=True)
class Config:
    """An endpoint configuration; it never changes."""

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
    def variant(self) -> Request:
        found: Request = self.request["ProductionVariants"][0]
        return found


@dataclass(kw_only=True)
class Endpoint:
    """An endpoint; `settles_at` is when its present change is over."""

    name: str
    arn: str
    config: Config
    tags: list[dict[str, str]]
    created_at: float
    modified_at: float
    settles_at: float
    own_status: str = "Creating"
    failure_reason: str = ""
    is_busy: Callable[[], bool] = field(default=lambda: False)
    next_config: Config | None = None

    @property
    def status(self) -> str:
        """Updating also while one of its inference components changes."""
        return "Updating" if self.own_status == "InService" and self.is_busy() else self.own_status

    @property
    def is_observed(self) -> bool:
        """Whether its containers' own metrics are published, as they are unless its configuration says otherwise."""
        return bool(self.config.request.get("MetricsConfig", {}).get("EnableDetailedObservability", True))

    def advance(self, now: float, *, has_capacity: bool) -> None:
        """Move on as far as the clock allows."""
        if now < self.settles_at or self.own_status not in {"Creating", "Updating"}:
            return
        self.modified_at = now
        if not has_capacity:
            # What failed to change goes on as it was, and keeps the reason.
            self.own_status = "Failed" if self.own_status == "Creating" else "InService"
            self.failure_reason = (
                "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error."
            )
            return
        self.config, self.next_config = self.next_config or self.config, None
        self.own_status, self.failure_reason = "InService", ""


class Endpoints:
    """`limits` is the account's quota by instance type. Without capacity, what is being made fails."""

    def __init__(self, arn: str, timing: HostingTiming, is_busy: Callable[[str], bool]) -> None:
        self._arn = arn
        self._timing = timing
        self._is_busy = is_busy
        self.configs: dict[str, Config] = {}
        self.by_name: dict[str, Endpoint] = {}
        self.limits: dict[str, int] = {}
        self.has_capacity = True

    def advance(self, now: float) -> None:
        for endpoint in list(self.by_name.values()):
            if endpoint.own_status == "Deleting" and now >= endpoint.settles_at:
                del self.by_name[endpoint.name]
            endpoint.advance(now, has_capacity=self.has_capacity)

    def create_config(self, request: Request, now: float) -> Request:
        name = request["EndpointConfigName"]
        arn = f"{self._arn}:endpoint-config/{name.lower()}"
        if name in self.configs:
            raise invalid(f'Cannot create already existing endpoint configuration "{arn}".')
        if len(request["ProductionVariants"]) != 1:
            raise invalid("The stand-in's endpoints have one production variant.")
        variant = request["ProductionVariants"][0]
        if "ModelName" in variant:
            raise AwsError("UnknownOperationException", "The stand-in only has endpoints of inference components.")
        if "ExecutionRoleArn" not in request:
            raise invalid("ExecutionRoleArn is required for endpoints of inference components.")
        if ("InstanceType" in variant) == ("InstancePools" in variant):
            raise invalid("Specify exactly one of InstanceType and InstancePools.")
        self.configs[name] = Config(name=name, arn=arn, request=request, created_at=now)
        return {"EndpointConfigArn": arn}

    def describe_config(self, request: Request, now: float) -> Request:
        config = self.config(request["EndpointConfigName"])
        kept = {key: value for key, value in config.request.items() if key != "Tags"}
        return {**kept, "EndpointConfigArn": config.arn, "CreationTime": config.created_at}

    def delete_config(self, request: Request, now: float) -> Request:
        del self.configs[self.config(request["EndpointConfigName"]).name]
        return {}

    def list_configs(self, request: Request, now: float) -> Request:
        return page(self.configs.values(), request, "EndpointConfigs", _config_summary)

    def create(self, request: Request, now: float) -> Request:
        name = request["EndpointName"]
        arn = f"{self._arn}:endpoint/{name.lower()}"
        if name in self.by_name:
            raise invalid(f'Cannot create already existing endpoint "{arn}".')
        config = self.config(request["EndpointConfigName"])
        self._check_quota(config)
        self.by_name[name] = Endpoint(
            name=name,
            arn=arn,
            config=config,
            tags=list(request.get("Tags", ())),
            created_at=now,
            modified_at=now,
            settles_at=now + self._timing.endpoint,
            is_busy=lambda: self._is_busy(name),
        )
        return {"EndpointArn": arn}

    def update(self, request: Request, now: float) -> Request:
        endpoint, config = self.find(request["EndpointName"]), self.config(request["EndpointConfigName"])
        if endpoint.status != "InService":
            raise invalid(f'Cannot update in-progress endpoint "{endpoint.arn}".')
        if config.variant["VariantName"] != endpoint.config.variant["VariantName"]:
            raise invalid("A variant with inference components cannot be replaced by another.")
        endpoint.own_status, endpoint.next_config = "Updating", config
        endpoint.settles_at = now + self._timing.endpoint
        return {"EndpointArn": endpoint.arn}

    def describe(self, request: Request, now: float) -> Request:
        endpoint = self.find(request["EndpointName"])
        variant = endpoint.config.variant
        count = variant.get("InitialInstanceCount", 1)
        told: Request = {
            "EndpointName": endpoint.name,
            "EndpointArn": endpoint.arn,
            "EndpointConfigName": endpoint.config.name,
            "EndpointStatus": endpoint.status,
            "CreationTime": endpoint.created_at,
            "LastModifiedTime": endpoint.modified_at,
        }
        if endpoint.own_status != "Creating":
            scaling = {key: variant[key] for key in ("ManagedInstanceScaling", "RoutingConfig") if key in variant}
            told["ProductionVariants"] = [
                {
                    "VariantName": variant["VariantName"],
                    "CurrentInstanceCount": count,
                    "DesiredInstanceCount": count,
                    **scaling,
                }
            ]
        return told | ({"FailureReason": endpoint.failure_reason} if endpoint.failure_reason else {})

    def delete(self, request: Request, now: float, *, has_components: bool) -> Request:
        endpoint = self.find(request["EndpointName"])
        if has_components:
            raise invalid(
                "Cannot delete endpoint with inference component associated. Please delete inference component and "
                "try it again."
            )
        if endpoint.status in {"Creating", "Updating", "Deleting"}:
            raise invalid(f'Cannot update in-progress endpoint "{endpoint.arn}".')
        endpoint.own_status, endpoint.settles_at = "Deleting", now + self._timing.deleting
        return {}

    def list(self, request: Request, now: float) -> Request:
        return page(self.by_name.values(), request, "Endpoints", _summary)

    def find(self, name: str) -> Endpoint:
        """Raises AWS's error if there is none."""
        if name not in self.by_name:
            raise invalid(f'Could not find endpoint "{self._arn}:endpoint/{name.lower()}".')
        return self.by_name[name]

    def config(self, name: str) -> Config:
        """Raises AWS's error if there is none."""
        if name not in self.configs:
            raise invalid(f'Could not find endpoint configuration "{self._arn}:endpoint-config/{name.lower()}".')
        return self.configs[name]

    def _check_quota(self, config: Config) -> None:
        kind, count = config.variant.get("InstanceType", ""), config.variant.get("InitialInstanceCount", 1)
        if kind not in self.limits:
            return
        used = sum(
            one.config.variant.get("InitialInstanceCount", 1)
            for one in self.by_name.values()
            if one.config.variant.get("InstanceType") == kind and one.own_status != "Failed"
        )
        if used + count > self.limits[kind]:
            raise AwsError(
                "ResourceLimitExceeded",
                f"The account-level service limit '{kind} for endpoint usage' is {self.limits[kind]} Instances, with "
                f"current utilization of {used} Instances and a request delta of {count} Instances. Please use AWS "
                "Service Quotas to request an increase for this quota.",
            )


def _config_summary(config: Config) -> dict[str, Any]:
    return {"EndpointConfigName": config.name, "EndpointConfigArn": config.arn, "CreationTime": config.created_at}


def _summary(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "CreationTime": endpoint.created_at,
        "LastModifiedTime": endpoint.modified_at,
        "EndpointStatus": endpoint.status,
    }
