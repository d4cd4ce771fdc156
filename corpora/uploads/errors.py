"""What can go wrong while a file is on its way in."""

from rest.errors import Conflict, PortalError


class WrongOffset(Conflict):
    """The bytes sent do not go on where those before them ended."""

    code = "upload:wrong_offset"

    def __init__(self, received: int) -> None:
        super().__init__(f"{received} bytes are here: go on from there.", field="Upload-Offset", received=received)


class TooManyBytes(PortalError):
    """More bytes than were announced; none of them was kept."""

    code = "upload:too_many_bytes"
    status = 413

    def __init__(self, size: int) -> None:
        super().__init__(f"The upload was announced with {size} bytes. Begin a new one for a larger file.")


class BrokenOff(PortalError):
    """The connection ended before the bytes that it promised; those that came are kept."""

    code = "upload:broken_off"

    def __init__(self, received: int) -> None:
        super().__init__(f"The connection broke. {received} bytes are safe: go on from there.", received=received)


class UploadBusy(PortalError):
    """Another request is writing to the upload."""

    code = "upload:busy"
    status = 423

    def __init__(self) -> None:
        super().__init__("Another request is sending this file. Wait until it has ended, then go on where it stopped.")


class UploadGone(PortalError):
    """Somebody cancelled the upload, or it was left alone for too long."""

    code = "upload:gone"
    status = 410

    def __init__(self) -> None:
        super().__init__("This upload was cancelled. Begin a new one.")


class NotReceiving(Conflict):
    """All bytes are here already, or they take another way."""

    code = "upload:not_receiving"

    def __init__(self) -> None:
        super().__init__("This upload takes no bytes here, or not any more. Ask for its state.")


class NotWhole(Conflict):
    """Parts are missing."""

    code = "upload:not_whole"

    def __init__(self, received: int, size: int) -> None:
        super().__init__(f"{received} of {size} bytes are here. Send the other parts first.", received=received)


class NotWaiting(Conflict):
    """The file is not here yet, is being looked at, or was used or refused."""

    code = "upload:not_waiting"

    def __init__(self, state: str) -> None:
        super().__init__(f"This cannot be done in the state “{state}”. Wait until the file has been looked at.")


class AlreadyUsed(Conflict):
    """The file belongs to a dataset version."""

    code = "upload:already_used"

    def __init__(self) -> None:
        super().__init__("This file has become a dataset version. Delete the version instead.")
