"""What a reviewer, or whoever manages reviews, may read when something does not work."""

from rest.errors import Conflict, NotFound, PortalError


class RoundClosed(Conflict):
    """The round takes no more grades."""

    code = "review:round_closed"

    def __init__(self) -> None:
        super().__init__("This review round is closed. Grades can no longer be changed.")


class NotYourItem(NotFound):
    """The answer was never handed to this person."""

    def __init__(self) -> None:
        super().__init__("Answer not found. Ask for the next answer to grade.", code="review:not_yours")


class WrongReview(PortalError):
    """What an expert sent does not fit the answer or its rubric; `field` says which part."""

    code = "review:grade"
