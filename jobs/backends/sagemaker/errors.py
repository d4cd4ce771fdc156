"""Translates AWS errors to the compute contract: what passes by itself, and what somebody has to fix."""

from collections.abc import Iterator
from contextlib import contextmanager

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
        text = "AWS credentials are missing. Give the worker a role, or set AWS_ACCESS_KEY_ID and its secret."
        raise ComputeError("platform:aws_credentials", text, temporary=False) from error
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
        text = (
            f"The AWS account's quota is used up, so the job waits for room. AWS says: {words} "
            "Request an increase in Service Quotas, Amazon SageMaker, under the name in AWS's message."
        )
        return Unavailable("platform:aws_quota", text, after=60.0)
    if code in THROTTLED:
        return Unavailable("platform:aws_throttled", f"AWS throttled us while {doing}. We will try again shortly.")
    if code in DENIED:
        text = (
            f"AWS refused {doing} ({code}). Check the worker's credentials and the policies named in docs/sagemaker.md."
        )
        return ComputeError("platform:aws_denied", text, temporary=False)
    if status >= SERVER_ERROR:
        return Unavailable("platform:aws_unreachable", f"AWS had an internal error while {doing} ({code}).")
    text = f"AWS refused {doing}: {code}: {words}"
    return ComputeError("platform:aws_refused", text, temporary=False)
