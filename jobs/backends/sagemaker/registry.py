"""SageMaker's Model Registry: a versioned model package for each adapter version, pending approval."""

import hashlib
import re
from typing import Any

from botocore.exceptions import ClientError

from jobs.backends.sagemaker.errors import code_of, text_of, translated

GROUP_LIMIT = 63
METADATA_LIMIT = 50
VALUE_LIMIT = 256
CONTENT_TYPE = "application/json"


def group_name(tenant: str, model: str) -> str:
    """The group name of a tenant's model: at most 63 characters of `[a-zA-Z0-9-]`, unique among tenants and models."""
    digest = hashlib.sha256(f"{tenant}/{model}".encode()).hexdigest()[:12]
    readable = re.sub(r"[^a-zA-Z0-9]+", "-", model).strip("-")[: GROUP_LIMIT - len(digest) - 1].strip("-")
    return f"{readable}-{digest}" if readable else digest


def register_package(
    client: Any, *, group: str, model: str, package_uri: str, image: str, metadata: dict[str, str], token: str
) -> str:
    """Register a model package and return its ARN; the same token gives the same package. Raises ComputeError."""
    with translated("registering the model"):
        _ensure_group(client, group, model)
        answer = client.create_model_package(
            ModelPackageGroupName=group,
            ModelPackageDescription=f"LoRA adapter {model}",
            InferenceSpecification={
                "Containers": [{"Image": image, "ModelDataUrl": package_uri}],
                "SupportedContentTypes": [CONTENT_TYPE],
                "SupportedResponseMIMETypes": [CONTENT_TYPE],
            },
            ModelApprovalStatus="PendingManualApproval",
            CustomerMetadataProperties=_bounded(metadata),
            ClientToken=token,
        )
    return str(answer["ModelPackageArn"])


def _ensure_group(client: Any, group: str, model: str) -> None:
    try:
        client.create_model_package_group(
            ModelPackageGroupName=group, ModelPackageGroupDescription=f"Versions of the LoRA adapter {model}"
        )
    except ClientError as error:
        # AWS has no separate error for an existing group: it is a ValidationException with a message.
        if code_of(error) not in {"ValidationException", "ConflictException"} or "exist" not in text_of(error).lower():
            raise


def _bounded(metadata: dict[str, str]) -> dict[str, str]:
    shown = {key: value[:VALUE_LIMIT] for key, value in metadata.items() if value}
    return dict(list(shown.items())[:METADATA_LIMIT])
