"""What is in AWS: descriptions of single resources, and the components of an endpoint."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from serving.backends.sagemaker.errors import is_missing, translated


def described(describe: Callable[..., Any], **named: str) -> Mapping[str, Any] | None:
    """What the client's method says of a resource, None if there is none. Raises EndpointError."""
    with translated("describing the endpoint"):
        try:
            found: Mapping[str, Any] = describe(**named)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        return found


def components(client: Any, endpoint: str) -> Iterator[Mapping[str, Any]]:
    """The summaries of an endpoint's components, also of those that are not ours. Raises EndpointError."""
    with translated("listing the endpoint’s components"):
        pages = client.get_paginator("list_inference_components").paginate(
            EndpointNameEquals=endpoint, PaginationConfig={"PageSize": 100}
        )
        for page in pages:
            yield from page["InferenceComponents"]
