"""What an endpoint could not do."""


class EndpointError(Exception):
    """The endpoint could not do what was asked. Retry if `temporary`."""

    def __init__(self, code: str, text: str, *, temporary: bool) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.temporary = temporary
