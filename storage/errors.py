"""What storage refuses or cannot do."""

from rest.errors import Conflict, PortalError


class StorageUnavailable(PortalError):
    """The storage does not answer; what came is kept."""

    code = "platform:storage_unavailable"
    status = 503

    def __init__(self) -> None:
        super().__init__("Our storage does not answer at the moment. Nothing is lost: try again in a minute.")


class DiskFull(PortalError):
    """No room for what is sent; what was safe before is kept."""

    code = "platform:disk_full"
    status = 507

    def __init__(self) -> None:
        super().__init__("We have no room for more at the moment. Nothing is lost: try again in a few minutes.")


class ObjectMissing(PortalError):
    """What a row in the database names is not in storage."""

    code = "platform:object_missing"
    status = 503

    def __init__(self) -> None:
        super().__init__("What belongs here is missing from our storage. Try again later, and tell us if it stays so.")


class ObjectGivenUp(Conflict):
    """It took so long until a row named the object that the object was removed."""

    code = "platform:object_given_up"

    def __init__(self) -> None:
        super().__init__("The upload took longer than a day, so what had come was removed. Upload the file again.")
