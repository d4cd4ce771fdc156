"""Errors of uploads."""

from rest.errors import Conflict, PortalError


class WrongOffset(Conflict):
    """The data sent does not start where the received data ends."""

    code = "upload:wrong_offset"

    def __init__(self, received: int) -> None:
        super().__init__(
            f"{received} bytes have been received. Continue from there.", field="Upload-Offset", received=received
        )


class TooManyBytes(PortalError):
    """The request has more bytes than the upload announced. None of them are kept."""

    code = "upload:too_many_bytes"
    status = 413

    def __init__(self, size: int) -> None:
        super().__init__(f"This upload was announced with {size} bytes. Start a new upload for a larger file.")


class BrokenOff(PortalError):
    """The connection ended before all bytes of the request arrived. The received bytes are kept."""

    code = "upload:broken_off"

    def __init__(self, received: int) -> None:
        super().__init__(
            f"The connection was lost. {received} bytes are saved. Continue from there.", received=received
        )


class UploadBusy(PortalError):
    """Another request is writing to the upload."""

    code = "upload:busy"
    status = 423

    def __init__(self) -> None:
        super().__init__("Another request is sending this file. Wait until it ends, then continue where it stopped.")


class UploadGone(PortalError):
    """The upload was cancelled, or it was abandoned and removed."""

    code = "upload:gone"
    status = 410

    def __init__(self) -> None:
        super().__init__("This upload was cancelled or has expired. Start a new one.")


class NotReceiving(Conflict):
    """The upload has all its bytes, or receives them another way."""

    code = "upload:not_receiving"

    def __init__(self) -> None:
        super().__init__("This upload no longer accepts data at this URL. Check its state and its links.")


class NotWhole(Conflict):
    """Parts of the file are missing."""

    code = "upload:not_whole"

    def __init__(self, received: int, size: int) -> None:
        super().__init__(
            f"{received} of {size} bytes have been received. Send the missing parts first.", received=received
        )


class NotWaiting(Conflict):
    """The file is incomplete, being inspected, already imported, or failed."""

    code = "upload:not_waiting"

    def __init__(self, state: str) -> None:
        super().__init__(
            f"Not possible while the upload is “{state}”. The file must have been inspected and not yet imported."
        )


class AlreadyUsed(Conflict):
    """The file was imported as a dataset version."""

    code = "upload:already_used"

    def __init__(self) -> None:
        super().__init__("This file was imported as a dataset version. Delete the version instead.")
