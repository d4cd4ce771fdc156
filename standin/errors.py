"""Errors in the format of AWS's JSON services."""


class AwsError(Exception):
    """An error of a JSON service: code, message and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def invalid(message: str) -> AwsError:
    """SageMaker's error for a request that breaks a rule."""
    return AwsError("ValidationException", message)


def not_found() -> AwsError:
    """SageMaker's error for a job that does not exist, although its model documents ResourceNotFound."""
    return invalid("Requested resource not found.")


def unknown(operation: str) -> AwsError:
    """A service's error for an unknown operation; also for operations that only the stand-in lacks."""
    return AwsError("UnknownOperationException", f"The stand-in has no operation {operation}.")
