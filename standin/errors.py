"""Errors in the form that AWS's JSON services answer them."""


class AwsError(Exception):
    """One error of a JSON service: its code, its words, its HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def invalid(message: str) -> AwsError:
    """What SageMaker answers to a request that breaks a rule."""
    return AwsError("ValidationException", message)


def not_found() -> AwsError:
    """SageMaker's words for a job that is not there, though its model promises ResourceNotFound."""
    return invalid("Requested resource not found.")


def unknown(operation: str) -> AwsError:
    """What a service answers to an operation that it does not have; the stand-in also to those it has not."""
    return AwsError("UnknownOperationException", f"The stand-in has no operation {operation}.")
