"""Errors of datasets and uploads that occur before any row is read."""

from django.template.defaultfilters import filesizeformat

from rest.errors import Conflict, PortalError


class EmptyUpload(PortalError):
    """The file has no bytes."""

    code = "dataset:empty_file"

    def __init__(self) -> None:
        super().__init__("The file is empty. Choose a file that contains rows.", field="file")


class UploadTooLarge(PortalError):
    """The file has more bytes than MAX_UPLOAD_BYTES."""

    code = "dataset:too_large"
    status = 413

    def __init__(self, limit: int) -> None:
        text = f"The file is larger than {filesizeformat(limit)}. Split it, or convert it to Parquet, which is smaller."
        super().__init__(text, field="file", limit_bytes=limit)


class NameMissing(PortalError):
    """A new dataset has no name."""

    code = "dataset:name_missing"

    def __init__(self) -> None:
        super().__init__("Enter a name for the dataset, or choose an existing dataset.", field="name")


class DatasetGone(Conflict):
    """The dataset was deleted in the meantime."""

    code = "dataset:gone"

    def __init__(self) -> None:
        super().__init__("This dataset was deleted. Choose another dataset, or upload the file as a new one.")


class QuotaExceeded(PortalError):
    """The file does not fit into the organisation's storage. No part of it is kept."""

    code = "dataset:quota_exceeded"
    status = 403

    def __init__(self, *, size: int, used: int, limit: int) -> None:
        text = (
            f"Not enough storage for this file ({filesizeformat(size)}). You are using {filesizeformat(used)} of "
            f"{filesizeformat(limit)}. Delete versions or uploads that you no longer need."
        )
        super().__init__(text, field="file", size_bytes=size, used_bytes=used, limit_bytes=limit)
