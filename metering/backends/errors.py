"""What a usage source could not do."""


class UsageSourceError(Exception):
    """The source could not be read. Try again later if `temporary`; otherwise the operator has to fix something."""

    def __init__(self, code: str, text: str, *, temporary: bool) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.temporary = temporary
