"""What can go wrong below the portal. Every text is written for the person who has to act on it."""


class RunError(Exception):
    """A run failed for a known reason.

    `code` is stable ("training:out_of_memory"), `text` says what to do, and `temporary` says whether the
    same run may well succeed later without any change.
    """

    def __init__(self, code: str, text: str, temporary: bool = False) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.temporary = temporary


class RunCancelled(RunError):
    """The run was asked to stop, and did."""

    def __init__(self, code: str = "run:cancelled", text: str = "The run was cancelled.") -> None:
        super().__init__(code, text)


class ContractError(RunError):
    """A document does not follow its contract; `field` is the dotted path, "" for all of it."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__("run:bad_document", f"{field}: {text}" if field else text)
        self.field = field


class PackageError(RunError):
    """An adapter package is refused; the codes begin with "package:"."""
