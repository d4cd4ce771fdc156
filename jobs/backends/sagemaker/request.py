"""The request that starts a training job. Its functions are pure, so that they can be tested without AWS."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.backends.base import ComputeSpec
from jobs.backends.sagemaker.options import SageMakerOptions

Request = dict[str, Any]

CHECKPOINTS = "/opt/ml/checkpoints"
HYPERPARAMETER_LIMIT = 255
UNTAGGED_TENANT = "shared"
METRICS = {
    "train:loss": r'"loss":([0-9.eE+-]+)',
    "eval:loss": r'"eval_loss":([0-9.eE+-]+)',
    "train:tokens_per_second": r'"tokens_per_second":([0-9.eE+-]+)',
}
"""CloudWatch reads these metrics from the trainer's lines, for people who use CloudWatch."""


@dataclass(frozen=True)
class Places:
    """Where a run is stored in the deployment's bucket, as prefixes that end with a slash."""

    bucket: str
    run: str
    code: str
    checkpoints: str

    def uri(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"

    @property
    def output(self) -> str:
        return f"{self.run}output/"

    def channel(self, name: str) -> str:
        return f"{self.run}input/{name}/"


def places(options: SageMakerOptions, name: str, spec: ComputeSpec, source_sha256: str) -> Places:
    """The places of a run. All of a tenant's data is under one prefix, for bucket policies and for erasure."""
    tenant = f"{options.prefix}tenants/{spec.tags.get('tenant', UNTAGGED_TENANT)}/"
    checkpoints = (
        f"{tenant}checkpoints/{spec.checkpoint_key}/" if spec.checkpoint_key else f"{tenant}runs/{name}/state/"
    )
    return Places(options.bucket, f"{tenant}runs/{name}/", f"{options.prefix}code/{source_sha256}/", checkpoints)


def training_job(
    name: str, spec: ComputeSpec, options: SageMakerOptions, where: Places, image: str, channels: Mapping[str, str]
) -> Request:
    """Parameters of `create_training_job`; `channels` maps a channel's name to its S3 prefix."""
    request: Request = {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": image,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": metric, "Regex": regex} for metric, regex in METRICS.items()],
            "ContainerEntrypoint": ["/bin/bash"],
            "ContainerArguments": ["-c", command(spec.module, pip_install=options.pip_install)],
        },
        "RoleArn": options.role_arn,
        "HyperParameters": shown_hyperparameters(spec.spec),
        "InputDataConfig": [_channel(channel, uri) for channel, uri in channels.items()],
        "OutputDataConfig": {"S3OutputPath": where.uri(where.output)} | _kms(options),
        "ResourceConfig": {
            "InstanceType": options.instance_type,
            "InstanceCount": 1,
            "VolumeSizeInGB": options.volume_gb,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": options.max_runtime_seconds},
        "CheckpointConfig": {"S3Uri": where.uri(where.checkpoints), "LocalPath": CHECKPOINTS},
        "Environment": {"PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore", **options.environment},
        "Tags": tags(spec, options),
        "EnableNetworkIsolation": options.network_isolation,
        "EnableManagedSpotTraining": options.spot,
    }
    if options.spot:
        request["StoppingCondition"]["MaxWaitTimeInSeconds"] = options.max_wait_seconds
    if options.subnets:
        request["VpcConfig"] = {
            "Subnets": list(options.subnets),
            "SecurityGroupIds": list(options.security_group_ids),
        }
    return request


def command(module: str, *, pip_install: bool) -> str:
    """The container's shell command: unpack the code, then run the entry point. AWS allows 256 characters."""
    install = "python -m pip install -q -r requirements.txt && " if pip_install else ""
    return (
        "mkdir -p /opt/ml/code && cd /opt/ml/code && tar -xzf /opt/ml/input/data/code/code.tar.gz && "
        f"{install}exec python -m lorakit.sagemaker --root /opt/ml --module {module}"
    )


def tags(spec: ComputeSpec, options: SageMakerOptions) -> list[dict[str, str]]:
    """Tags for cost allocation and to recognise our jobs."""
    return [{"Key": key, "Value": value[:256]} for key, value in sorted({**options.tags, **spec.tags}.items())]


def shown_hyperparameters(spec: Mapping[str, Any]) -> dict[str, str]:
    """A spec's plain values, for people who view the job in AWS; the run itself reads the `spec` channel."""
    plain = {key: str(value) for key, value in spec.items() if isinstance(value, str | int | float | bool)}
    return {key: value for key, value in plain.items() if 0 < len(value) <= HYPERPARAMETER_LIMIT}


def _channel(name: str, uri: str) -> Request:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def _kms(options: SageMakerOptions) -> dict[str, str]:
    return {"KmsKeyId": options.kms_key_id} if options.kms_key_id else {}
