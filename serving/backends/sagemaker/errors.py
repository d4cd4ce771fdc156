"""Translates AWS errors to the endpoint contract."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)

from jobs.backends.base import ComputeError
from jobs.backends.sagemaker.errors import DENIED, SERVER_ERROR, THROTTLED, code_of, text_of
from serving.backends.errors import EndpointError

CHANGING = "deployment:endpoint_changing"
NOT_YET = frozenset({"ConcurrentUpdateException", "ObjectNotFoundException"})
"""What Application Auto Scaling says while an earlier change, such as a new target, has not reached all of it."""

NOT_SET_UP = "This site’s endpoint is not set up correctly. Contact your administrator."

log = structlog.get_logger(__name__)


def says(error: ClientError, *words: str) -> bool:
    """Whether AWS refused a request with any of these words. Its wording may change, so they are few."""
    return code_of(error) == "ValidationException" and any(word in text_of(error).lower() for word in words)


def is_missing(error: ClientError) -> bool:
    """Whether the component or endpoint does not exist."""
    return says(error, "could not find")


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise AWS's errors as EndpointError; `doing` completes "AWS refused ___"."""
    try:
        yield
    except ClientError as error:
        raise explain(error, doing) from error
    except ComputeError as error:
        raise EndpointError(error.code, error.text, temporary=error.temporary) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise not_set_up("platform:aws_credentials", "AWS credentials are missing.") from error
    except ParamValidationError:
        # A programming error, which waiting does not fix.
        raise
    except (BotoCoreError, ConnectionError, TimeoutError) as error:
        raise EndpointError("platform:aws_unreachable", "The endpoint is not responding.", temporary=True) from error


def explain(error: ClientError, doing: str) -> EndpointError:
    """What an AWS error means for a deployment."""
    code, words = code_of(error), text_of(error)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code == "ResourceLimitExceeded":
        log.warning("aws_quota_used_up", aws=words, advice="Request an increase in Service Quotas, Amazon SageMaker.")
        return EndpointError("platform:aws_quota", "The endpoint has no room right now.", temporary=True)
    if code in THROTTLED:
        return EndpointError("platform:aws_throttled", "The endpoint is busy.", temporary=True)
    if code in DENIED:
        return not_set_up("platform:aws_denied", f"AWS refused {doing} ({code}).")
    if status >= SERVER_ERROR:
        return EndpointError("platform:aws_unreachable", "The endpoint is not responding.", temporary=True)
    if code in NOT_YET or says(error, "in_progress", "in status", "not inservice", "not in service"):
        # Whatever changes there is waited for.
        return EndpointError(CHANGING, "The endpoint is being changed.", temporary=True)
    return not_set_up("platform:aws_refused", f"AWS refused {doing}: {code}: {words}")


def not_set_up(code: str, detail: str) -> EndpointError:
    """The error of what the operator has to mend: customers are told that, the log is told what."""
    log.error("endpoint_not_set_up", code=code, detail=detail)
    return EndpointError(code, NOT_SET_UP, temporary=False)
