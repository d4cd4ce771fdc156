"""The error of a refused request, in OpenAI's format."""

from typing import Any


class ApiError(Exception):
    """A refused request: HTTP status, text, OpenAI's error code, and the invalid parameter."""

    def __init__(self, status: int, text: str, code: str, param: str | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.code = code
        self.param = param

    def body(self) -> dict[str, Any]:
        """The error in OpenAI's format."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        return {"error": {"message": self.text, "type": kind, "param": self.param, "code": self.code}}


def invalid(param: str, text: str) -> ApiError:
    return ApiError(400, f"{param}: {text}", "invalid_value", param)
