"""What can be wrong with what is asked of a version."""

from rest.errors import Conflict


class SameFile(Conflict):
    """The dataset has a version of the very same bytes."""

    code = "dataset:same_file"

    def __init__(self, *, version: str, version_id: str) -> None:
        text = f"This very file, read the same way, is already {version}. Use that version, or upload a changed file."
        super().__init__(text, field="file", version=version_id)


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
