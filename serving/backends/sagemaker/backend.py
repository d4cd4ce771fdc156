"""One endpoint of SageMaker inference components: a base component, and one adapter component per deployment.

Adapters are loaded and dropped by creating and deleting components. Neither lists nor descriptions name an adapter's
base, so the name of a component ends with a mark of its endpoint.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import MISSING, Field, fields
from functools import cached_property
from typing import Any, ClassVar

import boto3
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError

from jobs.backends.sagemaker.bucket import Bucket
from jobs.prices import Priced
from lorakit.capacity.setup import Setup
from serving.backends.alarms import CloudAlarm
from serving.backends.base import Description, EndpointBackend, Health, Package, Status
from serving.backends.errors import EndpointError
from serving.backends.sagemaker.alarms import EndpointAlarms
from serving.backends.sagemaker.artifacts import Artifacts
from serving.backends.sagemaker.errors import is_missing, not_set_up, says, translated
from serving.backends.sagemaker.plan import OWN, Plan
from serving.backends.sagemaker.provision import SageMakerProvision
from serving.backends.sagemaker.reading import components, described
from serving.backends.sagemaker.recommendation import SageMakerRecommender
from serving.backends.sagemaker.scaling import CopyScaling
from serving.backends.sagemaker.target import SageMakerTarget

# A step has 90 seconds. These limits keep one call, with its retries, well within that.
CLIENT = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 4})
STATUS = {
    "Creating": Status.CREATING,
    "Updating": Status.CREATING,
    "InService": Status.IN_SERVICE,
    "Failed": Status.FAILED,
    "Deleting": Status.DELETING,
}
NEEDED = ("ENDPOINT", "BASE_COMPONENT", "BASE_MODEL", "BUCKET")


def _default(item: "Field[Any]") -> Any:
    if item.default is not MISSING:
        return item.default
    return "" if item.default_factory is MISSING else item.default_factory()


class SageMakerEndpoint(EndpointBackend):
    """Options: BASE_MODEL, the portal's name of the base; BUCKET and PREFIX for adapters; REGION; ENDPOINT_URL in place
    of AWS's addresses; and the fields of `Plan` in capitals, of which ENDPOINT and BASE_COMPONENT are always needed."""

    title = "SageMaker"
    own = OWN
    options: ClassVar[dict[str, Any]] = {
        **EndpointBackend.options,
        **{item.name.upper(): _default(item) for item in fields(Plan)},
        "BASE_MODEL": "",
        "BUCKET": "",
        "PREFIX": "deployments/",
        "REGION": "",
        "ENDPOINT_URL": "",
    }

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        super().__init__(alias, options)
        merged = {**self.options, **options}
        missing = [name for name in NEEDED if not merged[name]]
        if missing:
            raise ValueError(f"ENDPOINTS[{alias!r}] needs the option {missing[0]}")
        self.plan = Plan(**{item.name: merged[item.name.upper()] for item in fields(Plan)})
        self.base_model = str(merged["BASE_MODEL"])
        self._session = boto3.Session(region_name=merged["REGION"] or None)
        if not self._session.region_name:
            raise ValueError(f"ENDPOINTS[{alias!r}] needs the option REGION, or AWS_DEFAULT_REGION")
        self._url = merged["ENDPOINT_URL"] or None
        self._bucket_name, self._prefix = str(merged["BUCKET"]), str(merged["PREFIX"])
        self._mark = hashlib.sha256(self.plan.endpoint.encode()).hexdigest()[:8]

    @property
    def priced(self) -> Priced:
        plan = self.plan
        region: str = self._session.region_name
        return Priced(service="hosting", item=plan.instance_type, region=region, count=max(1, plan.instances))

    @property
    def context_tokens(self) -> int:
        return self.plan.context_tokens

    @property
    def copies(self) -> int:
        return max(1, self.plan.copies)

    def setup(self, context: int) -> Setup:
        return self.plan.setup()

    @classmethod
    def apart(cls, name: str, base_model: str, options: Mapping[str, Any]) -> dict[str, Any]:
        endpoint = f"{options['ENDPOINT']}-{name}"
        prefix = f"{options.get('PREFIX', cls.options['PREFIX'])}{name}/"
        return {
            "ENDPOINT": endpoint,
            "BASE_COMPONENT": f"{endpoint}-base",
            "BASE_MODEL": base_model,
            "PREFIX": prefix,
        }

    @classmethod
    def suited(cls, *, model_uri: str, instance_type: str) -> dict[str, Any]:
        brought = {"MODEL_URI": model_uri, "INSTANCE_TYPE": instance_type}
        return {name: value for name, value in brought.items() if value}

    def deploy(self, name: str, package: Package) -> None:
        found = self.describe(name)
        if found.status is Status.FAILED:
            self.delete(name)
        if found.status is not Status.MISSING:
            return
        artifact = self._artifacts.store(package)
        with translated("deploying an adapter"):
            try:
                self._client.create_inference_component(
                    InferenceComponentName=self.component(name),
                    EndpointName=self.plan.endpoint,
                    Specification={
                        "BaseInferenceComponentName": self.plan.base_component,
                        "Container": {"ArtifactUrl": artifact},
                    },
                    Tags=self.plan.tag_list,
                )
            except ClientError as error:
                # Another process was faster, or AWS had done it and its answer was lost.
                if not says(error, "already existing"):
                    raise

    def describe(self, name: str) -> Description:
        component = self._component(self.component(name))
        if component is None:
            return Description(status=Status.MISSING)
        status = STATUS.get(component["InferenceComponentStatus"], Status.CREATING)
        return Description(status=status, text=str(component.get("FailureReason", "")))

    def delete(self, name: str) -> None:
        with translated("deleting an adapter"):
            try:
                self._client.delete_inference_component(InferenceComponentName=self.component(name))
            except ClientError as error:
                if not is_missing(error) and not says(error, "delete_in_progress"):
                    raise

    def list(self) -> Mapping[str, Status]:
        return {
            one["InferenceComponentName"].removesuffix(f"-{self._mark}"): STATUS.get(
                one.get("InferenceComponentStatus", ""), Status.CREATING
            )
            for one in components(self._client, self.plan.endpoint)
            if one["InferenceComponentName"] != self.plan.base_component
        }

    def target(self, model: str) -> SageMakerTarget:
        return SageMakerTarget(
            host=self._runtime_url,
            endpoint=self.plan.endpoint,
            model=self.plan.base_component if model == self.base_model else self.component(model),
            region=self._session.region_name,
            credentials=self._credentials,
        )

    def running_instances(self) -> int:
        endpoint = described(self._client.describe_endpoint, EndpointName=self.plan.endpoint)
        return sum(int(one.get("CurrentInstanceCount", 0)) for one in (endpoint or {}).get("ProductionVariants", ()))

    def health(self) -> Health:
        try:
            endpoint = described(self._client.describe_endpoint, EndpointName=self.plan.endpoint)
            if endpoint is None:
                return Health(ok=False, text="There is no such endpoint in AWS.")
            base = self._component(self.plan.base_component)
            adapters = sum(1 for status in self.list().values() if status is Status.IN_SERVICE)
        except EndpointError as error:
            return Health(ok=False, text=error.text)
        reason = str(endpoint.get("FailureReason", ""))
        if endpoint["EndpointStatus"] not in ("InService", "Updating"):
            return Health(ok=False, text=f"The endpoint is {endpoint['EndpointStatus']}. {reason}".strip())
        if base is None:
            return Health(ok=False, text="The base model is not on the endpoint.")
        if base["InferenceComponentStatus"] not in ("InService", "Updating"):
            reason = str(base.get("FailureReason", ""))
            return Health(ok=False, text=f"The base model is {base['InferenceComponentStatus']}. {reason}".strip())
        if not base.get("RuntimeConfig", {}).get("CurrentCopyCount"):
            text = "No copy of the base model is running."
            if self.plan.wakes and not base.get("RuntimeConfig", {}).get("DesiredCopyCount"):
                text = "The base model has scaled to zero copies. The next request starts one, which takes minutes."
            return Health(ok=False, text=text, base=self.base_model)
        return Health(ok=True, text=reason, base=self.base_model, adapters=adapters)

    def tidy(self, keep: Set[str]) -> None:
        self._artifacts.tidy(keep)

    def provision(self) -> SageMakerProvision:
        self.plan.check()
        return SageMakerProvision(self._client, self.plan, scaling=self._scaling, alarms=self._alarms)

    def recommender(self) -> SageMakerRecommender:
        self.plan.check()
        bucket = Bucket(self._s3, self._bucket_name, kms_key_id=self.plan.kms_key_id)
        return SageMakerRecommender(self._client, self.plan, bucket, self._prefix)

    def scaling(self) -> Iterator[str]:
        yield from self._scaling.describe()
        yield from self._alarms.describe()

    def alarms(self) -> Sequence[CloudAlarm]:
        return self._alarms.states()

    def component(self, name: str) -> str:
        """The name of a deployment's component: unique in the account, of at most 63 characters."""
        return f"{name}-{self._mark}"

    def _component(self, name: str) -> Mapping[str, Any] | None:
        return described(self._client.describe_inference_component, InferenceComponentName=name)

    def _credentials(self) -> ReadOnlyCredentials:
        credentials = self._session.get_credentials()
        if credentials is None:
            raise not_set_up("platform:aws_credentials", "AWS credentials are missing.")
        with translated("signing a request"):
            frozen: ReadOnlyCredentials = credentials.get_frozen_credentials()
        return frozen

    @cached_property
    def _client(self) -> Any:
        return self._session.client("sagemaker", endpoint_url=self._url, config=CLIENT)

    @cached_property
    def _scaling(self) -> CopyScaling:
        client: Any = self._session.client("application-autoscaling", endpoint_url=self._url, config=CLIENT)
        return CopyScaling(client, self.plan)

    @cached_property
    def _alarms(self) -> EndpointAlarms:
        client: Any = self._session.client("cloudwatch", endpoint_url=self._url, config=CLIENT)
        return EndpointAlarms(client, self.plan)

    @cached_property
    def _runtime_url(self) -> str:
        client: Any = self._session.client("sagemaker-runtime", endpoint_url=self._url, config=CLIENT)
        return str(client.meta.endpoint_url).rstrip("/")

    @cached_property
    def _s3(self) -> Any:
        return self._session.client("s3", endpoint_url=self._url, config=CLIENT)

    @cached_property
    def _artifacts(self) -> Artifacts:
        bucket = Bucket(self._s3, self._bucket_name, kms_key_id=self.plan.kms_key_id)
        return Artifacts(self._s3, bucket, self._prefix)
