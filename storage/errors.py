"""What storage refuses or cannot do."""

from rest.errors import Conflict, PortalError


class StorageUnavailable(PortalError):
    """The storage does not answer; what came is kept."""

    code = "platform:storage_unavailable"
    status = 503

    def __init__(self) -> None:
        super().__init__("Storage is temporarily unavailable. Nothing is lost. Try again in a minute.")


class DiskFull(PortalError):
    """No room for what is sent; what was safe before is kept."""

    code = "platform:disk_full"
    status = 507

    def __init__(self) -> None:
        super().__init__("Storage is full right now. Nothing is lost. Try again in a few minutes.")


class ObjectMissing(PortalError):
    """What a row in the database names is not in storage."""

    code = "platform:object_missing"
    status = 503

    def __init__(self) -> None:
        super().__init__(
            "This file is missing from storage. Try again later, and contact your site’s operator if it stays missing."
        )


class ObjectGivenUp(Conflict):
    """It took so long until a row named the object that the object was removed."""

    code = "platform:object_given_up"

    def __init__(self) -> None:
        super().__init__("The upload took longer than a day, so the received part was removed. Upload the file again.")
