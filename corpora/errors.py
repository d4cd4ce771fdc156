"""What is refused before rows are looked at, whether a dataset or an upload is asked for."""

from django.template.defaultfilters import filesizeformat

from rest.errors import Conflict, PortalError


class EmptyUpload(PortalError):
    """No bytes came."""

    code = "dataset:empty_file"

    def __init__(self) -> None:
        super().__init__("The file is empty. Choose the file with your rows.", field="file")


class UploadTooLarge(PortalError):
    """More bytes than MAX_UPLOAD_BYTES."""

    code = "dataset:too_large"
    status = 413

    def __init__(self, limit: int) -> None:
        text = f"The file is larger than {filesizeformat(limit)}. Split it, or upload it as Parquet, which is smaller."
        super().__init__(text, field="file", limit_bytes=limit)


class NameMissing(PortalError):
    """A new dataset has to be called something."""

    code = "dataset:name_missing"

    def __init__(self) -> None:
        super().__init__("Give the dataset a name, or choose one you have.", field="name")


class DatasetGone(Conflict):
    """Somebody has deleted the dataset meanwhile."""

    code = "dataset:gone"

    def __init__(self) -> None:
        super().__init__("This dataset has been deleted meanwhile. Choose another, or upload its file as a new one.")


class QuotaExceeded(PortalError):
    """The organisation's storage is full; nothing of this file was kept."""

    code = "dataset:quota_exceeded"
    status = 403

    def __init__(self, *, size: int, used: int, limit: int) -> None:
        text = (
            f"This file of {filesizeformat(size)} does not fit: {filesizeformat(used)} of your "
            f"{filesizeformat(limit)} are used. Delete versions or uploads that you no longer need."
        )
        super().__init__(text, field="file", size_bytes=size, used_bytes=used, limit_bytes=limit)
