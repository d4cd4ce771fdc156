"""What an endpoint is made of in AWS, and the requests that make it."""

from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lorakit.capacity.machines import usable_gpu_bytes
from lorakit.capacity.ranks import RANKS, rounded_rank
from lorakit.capacity.setup import UTILISATION, Setup
from serving.backends.base import PRICE, Option
from serving.backends.sagemaker.schedule import ScheduledCopies, read_schedule

METRICS_SECONDS = (10, 30, 60, 120, 180, 240, 300)
"""How often AWS can publish an endpoint's metrics."""

LONGEST_ANSWER = 60
"""Seconds that SageMaker waits for an answer."""

USUAL_WIDTH = 256
"""Sequences in a batch, vLLM's default `--max-num-seqs`."""

VARIANT = "AllTraffic"
LONGEST_NAME = 50
"""Names of its parts begin with the endpoint's and have to be told from those of others."""

OWN = (
    Option(name="INSTANCE_TYPE", title="Instance type", help="Such as ml.g6e.xlarge."),
    Option(name="INSTANCES", title="Instances", help="To begin with."),
    Option(name="LEAST_INSTANCES", title="Fewest instances", help="0 lets it scale to zero."),
    Option(name="MOST_INSTANCES", title="Most instances"),
    Option(name="COPIES", title="Copies of the base model", help="To begin with."),
    Option(name="LEAST_COPIES", title="Fewest copies", help="0 lets it scale to zero."),
    Option(name="MOST_COPIES", title="Most copies"),
    Option(name="CONCURRENCY_TARGET", title="Requests per copy", help="At a time, which scaling keeps to."),
    Option(name="MAX_RANK", title="Highest rank", choices=RANKS),
    Option(name="GPU_ADAPTERS", title="Adapters on the GPU", help="How many can be in one batch."),
    Option(name="CPU_ADAPTERS", title="Adapters in memory", help="Including those. Others are read again when asked."),
    Option(name="CONTEXT_TOKENS", title="Context", help="Tokens of prompt and answer."),
    Option(name="MEMORY_MB", title="Memory of a copy", help="MiB that SageMaker reserves."),
    Option(name="IMAGE", title="Container image", help="LMI, or AWS’s vLLM image."),
    Option(name="MODEL_URI", title="Base model in S3", help="The prefix of its files."),
    *PRICE,
)
Request = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A base model on its instances.

    `model_uri` is the S3 prefix of the base model's files. `gpu_adapters` may be in one batch, `cpu_adapters` (which
    include those) in memory; others are read again when they are asked. `memory_mb` is what SageMaker reserves for a
    copy, and must leave room for its own agent.

    Copies of the base follow the load between `least_copies` and `most_copies`, so that each has `concurrency_target`
    requests at a time, and instances follow the copies between `least_instances` and `most_instances`. With both least
    numbers 0, an endpoint without requests has neither, and the first request starts them again. `schedule` is what
    `read_schedule` reads, with times of the zone `schedule_time_zone`. `alarm_topic` is the ARN of an SNS topic.
    There is alarm where the model's 95th percentile is above `alarm_p95_seconds`, or a copy uses more than
    `alarm_gpu_memory_percent` of its GPUs' memory; 0 is for no such alarm.
    """

    endpoint: str
    base_component: str
    role_arn: str
    image: str
    model_uri: str
    instance_type: str = "ml.g6e.xlarge"
    instances: int = 1
    least_instances: int = 1
    most_instances: int = 1
    copies: int = 1
    least_copies: int = 1
    most_copies: int = 1
    concurrency_target: float = 5.0
    scale_in_seconds: int = 300
    scale_out_seconds: int = 300
    schedule: tuple[dict[str, Any], ...] = ()
    schedule_time_zone: str = "UTC"
    alarm_topic: str = ""
    alarm_p95_seconds: float = 30.0
    alarm_gpu_memory_percent: float = 0.0
    enhanced_metrics: bool = False
    metrics_seconds: int = 60
    accelerators: int = 1
    memory_mb: int = 1024
    startup_seconds: int = 1800
    max_rank: int = 64
    gpu_adapters: int = 8
    cpu_adapters: int = 64
    context_tokens: int = 4096
    inference_ami: str = ""
    kms_key_id: str = ""
    subnets: tuple[str, ...] = ()
    security_group_ids: tuple[str, ...] = ()
    network_isolation: bool = False
    environment: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Raises ValueError that names what is wrong."""
        if len(self.endpoint) > LONGEST_NAME:
            raise ValueError(f"ENDPOINT must have at most {LONGEST_NAME} characters")
        for name in ("role_arn", "image", "model_uri"):
            if not getattr(self, name):
                raise ValueError(f"{name.upper()} is required to create an endpoint")
        if not self.role_arn.startswith("arn:"):
            raise ValueError("ROLE_ARN must be a role's ARN, arn:aws:iam::ACCOUNT:role/NAME")
        if not self.model_uri.startswith("s3://"):
            raise ValueError("MODEL_URI must be an S3 prefix, s3://BUCKET/FOLDER/")
        if not 0 <= self.least_instances <= self.instances <= self.most_instances:
            raise ValueError("LEAST_INSTANCES, INSTANCES and MOST_INSTANCES must be in this order")
        if self.max_rank not in range(1, RANKS[-1] + 1):
            raise ValueError(f"MAX_RANK must be from 1 to {RANKS[-1]}")
        if not 1 <= self.gpu_adapters <= self.cpu_adapters:
            raise ValueError("CPU_ADAPTERS must be at least GPU_ADAPTERS, which it includes")
        if bool(self.subnets) != bool(self.security_group_ids):
            raise ValueError("SUBNETS and SECURITY_GROUP_IDS must be set together")
        self._check_scaling()

    def _check_scaling(self) -> None:
        if not 0 <= self.least_copies <= self.copies <= self.most_copies:
            raise ValueError("LEAST_COPIES, COPIES and MOST_COPIES must be in this order")
        if self.most_copies < 1:
            raise ValueError("MOST_COPIES must be at least 1")
        # It also reads the schedule, which may be wrong.
        if any(least == 0 for least, _ in self.ranges) and self.least_instances:
            raise ValueError("LEAST_INSTANCES must be 0 where there may be 0 copies, or the instances cost as before")
        if self.concurrency_target <= 0:
            raise ValueError("CONCURRENCY_TARGET must be above 0")
        for name in ("scale_in_seconds", "scale_out_seconds"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name.upper()} must not be negative")
        try:
            ZoneInfo(self.schedule_time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("SCHEDULE_TIME_ZONE must be a time zone such as Europe/Berlin") from error
        if self.alarm_topic and self.alarm_topic.split(":")[2:3] != ["sns"]:
            raise ValueError("ALARM_TOPIC must be an SNS topic's ARN, arn:aws:sns:REGION:ACCOUNT:NAME")
        if not 0 <= self.alarm_p95_seconds <= LONGEST_ANSWER:
            raise ValueError(f"ALARM_P95_SECONDS must be from 0 to {LONGEST_ANSWER}, the longest that AWS waits")
        if not 0 <= self.alarm_gpu_memory_percent < 100:
            raise ValueError("ALARM_GPU_MEMORY_PERCENT must be from 0 to below 100")
        if self.metrics_seconds not in METRICS_SECONDS:
            raise ValueError(f"METRICS_SECONDS must be one of {', '.join(map(str, METRICS_SECONDS))}")

    @property
    def scheduled(self) -> tuple[ScheduledCopies, ...]:
        """The schedule. Raises ValueError where an entry is wrong."""
        return read_schedule(self.schedule)

    @property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        """Every range of copies that may be in force, by least and most: the plan's own first."""
        own = (self.least_copies, self.most_copies)
        return (own, *((one.least_copies, one.most_copies) for one in self.scheduled))

    @property
    def scales(self) -> bool:
        """Whether the number of copies may change by itself."""
        return self.least_copies < self.most_copies or bool(self.schedule)

    @property
    def wakes(self) -> bool:
        """Whether there may be no copies, and a request starts one."""
        return any(least == 0 < most for least, most in self.ranges)

    @property
    def served_rank(self) -> int:
        """The maximum rank as the engine takes it."""
        return rounded_rank(self.max_rank)

    def setup(self) -> Setup:
        """A copy of the base as the capacity page plans it. Raises ValueError for figures that can't be."""
        return Setup(
            engine="vllm",
            precision="bf16",
            device_bytes=usable_gpu_bytes(self.instance_type),
            slots=self.gpu_adapters,
            host_adapters=self.cpu_adapters,
            max_rank=self.max_rank,
            context=self.context_tokens,
            width=int(self._set("MAX_NUM_SEQS", "MAX_ROLLING_BATCH_SIZE", USUAL_WIDTH)),
            gpus=self.accelerators,
            utilisation=float(self._set("GPU_MEMORY_UTILIZATION", "GPU_MEMORY_UTILIZATION", UTILISATION)),
        )

    def _set(self, of_vllm: str, of_lmi: str, usual: float) -> str | float:
        """What the container's environment says of an option of vLLM."""
        return self.environment.get(f"SM_VLLM_{of_vllm}", self.environment.get(f"OPTION_{of_lmi}", usual))

    @property
    def tag_list(self) -> list[dict[str, str]]:
        return [{"Key": key, "Value": value} for key, value in self.tags.items()]

    def model(self, name: str) -> Request:
        """For CreateModel. LMI and vLLM's own image read the same limits under different names."""
        environment = {
            "OPTION_ENABLE_LORA": "true",
            "OPTION_MAX_LORAS": str(self.gpu_adapters),
            "OPTION_MAX_CPU_LORAS": str(self.cpu_adapters),
            "OPTION_MAX_LORA_RANK": str(self.served_rank),
            "OPTION_MAX_MODEL_LEN": str(self.context_tokens),
            "SM_VLLM_ENABLE_LORA": "true",
            "SM_VLLM_MAX_LORAS": str(self.gpu_adapters),
            "SM_VLLM_MAX_CPU_LORAS": str(self.cpu_adapters),
            "SM_VLLM_MAX_LORA_RANK": str(self.served_rank),
            "SM_VLLM_MAX_MODEL_LEN": str(self.context_tokens),
            "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "true",
            **self.environment,
        }
        source = {"S3Uri": self.model_uri, "S3DataType": "S3Prefix", "CompressionType": "None"}
        request: Request = {
            "ModelName": name,
            "ExecutionRoleArn": self.role_arn,
            "PrimaryContainer": {
                "Image": self.image,
                "ModelDataSource": {"S3DataSource": source},
                "Environment": environment,
            },
            # It must be what the endpoint's is, or no component comes up.
            "EnableNetworkIsolation": self.network_isolation,
            "Tags": self.tag_list,
        }
        return request | self._network

    def config(self, name: str) -> Request:
        """For CreateEndpointConfig. A role and no model make it an endpoint of inference components."""
        variant: Request = {
            "VariantName": VARIANT,
            "InstanceType": self.instance_type,
            "InitialInstanceCount": max(1, self.instances),
            "RoutingConfig": {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
            "ManagedInstanceScaling": {
                "Status": "ENABLED",
                "MinInstanceCount": self.least_instances,
                "MaxInstanceCount": max(1, self.most_instances),
            },
        }
        if self.inference_ami:
            variant["InferenceAmiVersion"] = self.inference_ami
        request: Request = {
            "EndpointConfigName": name,
            "ExecutionRoleArn": self.role_arn,
            "ProductionVariants": [variant],
            "EnableNetworkIsolation": self.network_isolation,
            "Tags": self.tag_list,
        }
        if self.enhanced_metrics or self.metrics_seconds != Plan.metrics_seconds:
            request["MetricsConfig"] = {
                "EnableEnhancedMetrics": self.enhanced_metrics,
                "MetricPublishFrequencyInSeconds": self.metrics_seconds,
            }
        return request | self._network | ({"KmsKeyId": self.kms_key_id} if self.kms_key_id else {})

    def base(self, model: str) -> Request:
        """For CreateInferenceComponent."""
        return {
            "InferenceComponentName": self.base_component,
            "EndpointName": self.endpoint,
            "VariantName": VARIANT,
            "Specification": self.specification(model),
            "RuntimeConfig": {"CopyCount": self.copies},
            "Tags": self.tag_list,
        }

    def specification(self, model: str) -> Request:
        """Of the base component."""
        return {
            "ModelName": model,
            "StartupParameters": {
                "ModelDataDownloadTimeoutInSeconds": self.startup_seconds,
                "ContainerStartupHealthCheckTimeoutInSeconds": self.startup_seconds,
            },
            "ComputeResourceRequirements": {
                "NumberOfAcceleratorDevicesRequired": self.accelerators,
                "MinMemoryRequiredInMb": self.memory_mb,
            },
        }

    @property
    def _network(self) -> Request:
        if not self.subnets:
            return {}
        return {"VpcConfig": {"Subnets": list(self.subnets), "SecurityGroupIds": list(self.security_group_ids)}}
