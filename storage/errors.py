"""Errors of storage."""

from rest.errors import Conflict, PortalError


class StorageUnavailable(PortalError):
    """Storage does not respond; received data is kept."""

    code = "platform:storage_unavailable"
    status = 503

    def __init__(self) -> None:
        super().__init__("Storage is temporarily unavailable. Nothing is lost. Try again in a minute.")


class DiskFull(PortalError):
    """There is no room for the data sent; data stored before is kept."""

    code = "platform:disk_full"
    status = 507

    def __init__(self) -> None:
        super().__init__("Storage is full right now. Nothing is lost. Try again in a few minutes.")


class ObjectMissing(PortalError):
    """An object that the database refers to is not in storage."""

    code = "platform:object_missing"
    status = 503

    def __init__(self) -> None:
        super().__init__(
            "This file is missing from storage. Try again later, and contact your site’s operator if it stays missing."
        )


class ObjectGivenUp(Conflict):
    """The object was removed because no row referred to it in time."""

    code = "platform:object_given_up"

    def __init__(self) -> None:
        super().__init__("The upload took longer than a day, so the received part was removed. Upload the file again.")
