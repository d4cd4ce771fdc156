"""Translates AWS errors to the compute contract: what passes by itself, and what somebody has to fix."""

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

from jobs.backends.base import ComputeError, Unavailable

THROTTLED = frozenset(
    {"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown"}
)
DENIED = frozenset(
    {"AccessDeniedException", "AccessDenied", "UnrecognizedClientException", "InvalidClientTokenId", "InvalidToken",
     "ExpiredTokenException", "ExpiredToken", "SignatureDoesNotMatch", "InvalidSignatureException",
     "InvalidAccessKeyId",
     # A response to HEAD has no body, so S3 reports nothing else.
     "403"}
)  # fmt: skip
SERVER_ERROR = 500

NOT_SET_UP = (
    "Training could not start or go on: this site’s training service is not set up correctly. "
    "Contact your administrator."
)

log = structlog.get_logger(__name__)


def code_of(error: ClientError) -> str:
    """The error's code in AWS."""
    return str(error.response.get("Error", {}).get("Code", ""))


def text_of(error: ClientError) -> str:
    """AWS's message, for people to read or to search for a word. Its wording may change at any time."""
    return str(error.response.get("Error", {}).get("Message", ""))


def is_missing(error: ClientError) -> bool:
    """Whether the job, object or log does not exist; SageMaker reports that as a ValidationException."""
    if code_of(error) in {"ResourceNotFound", "ResourceNotFoundException", "NoSuchKey", "NotFound", "404"}:
        return True
    return code_of(error) == "ValidationException" and "not found" in text_of(error).lower()


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise AWS's errors as ComputeError; `doing` completes "... while ___"."""
    try:
        yield
    except ClientError as error:
        raise explain(error, doing) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        detail = "AWS credentials are missing. Give the worker a role, or set AWS_ACCESS_KEY_ID and its secret."
        raise not_set_up("platform:aws_credentials", detail) from error
    except ParamValidationError:
        # A programming error, which waiting does not fix.
        raise
    except (BotoCoreError, ConnectionError, TimeoutError) as error:
        text = f"AWS did not answer while {doing} ({type(error).__name__}). We will check again; no run starts twice."
        raise Unavailable("platform:aws_unreachable", text) from error


def explain(error: ClientError, doing: str) -> ComputeError:
    """What an AWS error means for a job."""
    code, words = code_of(error), text_of(error)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code == "ResourceLimitExceeded":
        advice = "Request an increase in Service Quotas, Amazon SageMaker, under the name in AWS's message."
        log.warning("aws_quota_used_up", aws=words, advice=advice)
        return Unavailable("platform:aws_quota", "All machines for training are in use. The job waits.", after=60.0)
    if code in THROTTLED:
        return Unavailable("platform:aws_throttled", f"AWS throttled us while {doing}. We will try again shortly.")
    if code in DENIED:
        advice = "Check the worker's credentials and the policies named in docs/sagemaker.md."
        return not_set_up("platform:aws_denied", f"AWS refused {doing} ({code}). {advice}")
    if status >= SERVER_ERROR:
        return Unavailable("platform:aws_unreachable", f"AWS had an internal error while {doing} ({code}).")
    return not_set_up("platform:aws_refused", f"AWS refused {doing}: {code}: {words}")


def not_set_up(code: str, detail: str) -> ComputeError:
    """The error of what the operator has to mend, made as it happens: customers are told that, the log is told what."""
    log.error("training_service_not_set_up", code=code, detail=detail)
    return ComputeError(code, NOT_SET_UP, temporary=False)
