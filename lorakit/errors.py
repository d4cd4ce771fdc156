"""The errors of lorakit. Every text is written for the person who has to act on it."""


class RunError(Exception):
    """A run failed for a known reason.

    `code` is stable ("training:out_of_memory"), `text` says what to do, and `temporary` says whether the
    same run may succeed later without any change.
    """

    def __init__(self, code: str, text: str, temporary: bool = False) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.temporary = temporary


class RunCancelled(RunError):
    """The run stopped on request."""

    def __init__(self, code: str = "run:cancelled", text: str = "The run was cancelled.") -> None:
        super().__init__(code, text)


class ContractError(RunError):
    """A document violates its contract; `field` is the dotted path, "" for the whole document."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__("run:bad_document", f"{field}: {text}" if field else text)
        self.field = field


class PackageError(RunError):
    """An adapter package was rejected; the codes begin with "package:"."""
