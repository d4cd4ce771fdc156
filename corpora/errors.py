"""What can be wrong with an upload before its rows are looked at."""

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


class SameFile(Conflict):
    """The dataset has a version of the very same bytes."""

    code = "dataset:same_file"

    def __init__(self, *, version: str, version_id: str) -> None:
        text = f"This very file, read the same way, is already {version}. Use that version, or upload a changed file."
        super().__init__(text, field="file", version=version_id)


class DatasetGone(Conflict):
    """Somebody has deleted the dataset meanwhile."""

    code = "dataset:gone"

    def __init__(self) -> None:
        super().__init__("This dataset has been deleted meanwhile. Choose another, or upload its file as a new one.")


class StillChecking(Conflict):
    """The version's check has not ended."""

    code = "dataset:still_checking"

    def __init__(self) -> None:
        super().__init__("This version is still being checked. Wait until that has ended.")


class VersionGone(Conflict):
    """Somebody has deleted the version meanwhile."""

    code = "dataset:version_gone"

    def __init__(self) -> None:
        super().__init__("This version has been deleted meanwhile. Choose another, or upload the file again.")


class VersionInUse(Conflict):
    """Something was trained or evaluated on the version."""

    code = "dataset:version_in_use"

    def __init__(self) -> None:
        text = "Something was trained or evaluated on this version, so it stays: what was made from it can be traced."
        super().__init__(text)
