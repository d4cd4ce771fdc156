"""A deployment's options for SageMaker, checked when the site starts."""

from dataclasses import dataclass, field
from typing import Any, Self

DAY = 86_400
LAUNCHERS = ("boto3", "model_trainer")


@dataclass(frozen=True, kw_only=True)
class SageMakerOptions:
    """Options of `SageMakerCompute` in addition to those of every compute backend.

    BUCKET and PREFIX are where runs are stored in S3; ROLE_ARN is the role a job runs as. BASE_MODELS maps a base
    model's folder, as the portal knows it, to the S3 prefix with the same files. IMAGE is looked up with the
    `sagemaker` package when empty. LAUNCHER chooses what builds the request: this project (`boto3`), or this project
    with that package's ModelTrainer (`model_trainer`). PIP_INSTALL installs lorakit's requirements when a container
    starts, for images that lack them.
    """

    bucket: str
    role_arn: str
    prefix: str = ""
    region: str = ""
    endpoint_url: str = ""
    image: str = ""
    launcher: str = "boto3"
    registry_image: str = ""
    instance_type: str = "ml.g6e.xlarge"
    volume_gb: int = 100
    max_runtime_seconds: int = DAY
    spot: bool = False
    max_wait_seconds: int = 2 * DAY
    kms_key_id: str = ""
    subnets: tuple[str, ...] = ()
    security_group_ids: tuple[str, ...] = ()
    network_isolation: bool = False
    pip_install: bool = False
    base_models: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ("lorakit",)
    tags: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, options: dict[str, Any]) -> Self:
        """Read the OPTIONS of a COMPUTE entry, in capitals. Raises ValueError that names an unusable option."""
        chosen = cls(**{name.lower(): value for name, value in options.items()})
        chosen._check()
        return chosen

    def _check(self) -> None:
        for name in ("bucket", "role_arn"):
            if not getattr(self, name):
                raise ValueError(f"{name.upper()} is required")
        if not self.role_arn.startswith("arn:"):
            raise ValueError("ROLE_ARN must be a role's ARN, arn:aws:iam::ACCOUNT:role/NAME")
        if self.prefix and not self.prefix.endswith("/"):
            raise ValueError("PREFIX must end with a slash")
        if self.launcher not in LAUNCHERS:
            raise ValueError(f"LAUNCHER must be one of {', '.join(LAUNCHERS)}")
        if self.max_runtime_seconds < 1 or self.volume_gb < 1:
            raise ValueError("MAX_RUNTIME_SECONDS and VOLUME_GB must be at least 1")
        if self.spot and self.max_wait_seconds < self.max_runtime_seconds:
            raise ValueError("MAX_WAIT_SECONDS must be at least MAX_RUNTIME_SECONDS, which it includes")
        if bool(self.subnets) != bool(self.security_group_ids):
            raise ValueError("SUBNETS and SECURITY_GROUP_IDS must be set together")
        if self.network_isolation and self.pip_install:
            raise ValueError("PIP_INSTALL needs a network; with NETWORK_ISOLATION, use an IMAGE that has the packages")
        for name, value in self.environment.items():
            if len(name) > 512 or len(value) > 512:
                raise ValueError(f"ENVIRONMENT[{name[:40]!r}] has more than 512 characters")
        for location, uri in self.base_models.items():
            if not uri.startswith("s3://"):
                raise ValueError(f"BASE_MODELS[{location!r}] must be an S3 prefix, s3://BUCKET/FOLDER/")
