"""Builds the request with the `sagemaker` package's ModelTrainer, which adds the network settings of an organisation's
SageMaker configuration files and validates the request with the SDK's types.

The package (requirements/sagemaker.in) is large and slow to import, so only a deployment that chooses it loads it.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from botocore import xform_name

from jobs.backends.sagemaker.errors import not_set_up
from jobs.backends.sagemaker.request import Request


def is_installed() -> bool:
    """Whether the package is installed; does not import it."""
    return find_spec("sagemaker") is not None


def made_by_model_trainer(request: Request, *, boto_session: Any, client: Any, bucket: str) -> Request:
    """`request`, the parameters of `create_training_job`, passed through ModelTrainer.

    Its `train` names a job after the time, and a job that cannot be found again by name may start twice. So the request
    is taken from where `train` takes it, and sent under our name with our command. Raises ComputeError if the SDK
    refuses it: a role lacks a permission, or a value does not fit the SDK's types.
    """
    refusal = import_module("sagemaker.core.helper.iam_role_resolver").RoleValidationError
    try:
        made = _made(request, boto_session, client, bucket)
    except (ValueError, refusal) as error:
        raise not_set_up("platform:aws_refused", f"ModelTrainer refused the training job: {error}") from error
    algorithm = request["AlgorithmSpecification"]
    own = {name: algorithm[name] for name in ("ContainerEntrypoint", "ContainerArguments")}
    return {
        **{name: value for name, value in made.items() if value is not None},
        "TrainingJobName": request["TrainingJobName"],
        "AlgorithmSpecification": made["AlgorithmSpecification"] | own,
    }


def _made(request: Request, boto_session: Any, client: Any, bucket: str) -> Request:
    session = import_module("sagemaker.core.helper.session_helper").Session
    model_trainer = import_module("sagemaker.train").ModelTrainer
    configs = import_module("sagemaker.core.training.configs")
    shapes = import_module("sagemaker.core.shapes")
    algorithm = request["AlgorithmSpecification"]
    network = _fields(request, "VpcConfig")
    if request["EnableNetworkIsolation"]:
        network["enable_network_isolation"] = True
    resources = _fields(request, "ResourceConfig")
    trainer = model_trainer(
        sagemaker_session=session(boto_session=boto_session, sagemaker_client=client, default_bucket=bucket),
        role=request["RoleArn"],
        base_job_name=request["TrainingJobName"],
        training_image=algorithm["TrainingImage"],
        training_input_mode=algorithm["TrainingInputMode"],
        compute=configs.Compute(enable_managed_spot_training=request["EnableManagedSpotTraining"], **resources),
        networking=configs.Networking(**network) if network else None,
        stopping_condition=shapes.StoppingCondition(**_fields(request, "StoppingCondition")),
        output_data_config=shapes.OutputDataConfig(**_fields(request, "OutputDataConfig")),
        checkpoint_config=shapes.CheckpointConfig(**_fields(request, "CheckpointConfig")),
        input_data_config=[shapes.Channel(**_snaked(channel)) for channel in request["InputDataConfig"]],
        environment=request["Environment"],
        hyperparameters=request["HyperParameters"],
        tags=[shapes.Tag(**_snaked(tag)) for tag in request["Tags"]],
    ).with_metric_definitions([shapes.MetricDefinition(**_snaked(item)) for item in algorithm["MetricDefinitions"]])
    made: Request = trainer._create_training_job_args(boto3=True)
    return made


def _fields(request: Request, member: str) -> dict[str, Any]:
    return _snaked(request.get(member, {}))


def _snaked(members: dict[str, Any]) -> dict[str, Any]:
    """`members` with the SDK's snake_case names instead of the API's."""
    return {xform_name(name): _snaked(value) if isinstance(value, dict) else value for name, value in members.items()}
