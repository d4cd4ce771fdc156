"""Errors of dataset versions."""

from rest.errors import Conflict


class SameFile(Conflict):
    """The dataset has a version of the same bytes with the same options."""

    code = "dataset:same_file"

    def __init__(self, *, version: str, version_id: str) -> None:
        text = f"This file with the same options is already {version}. Use that version, or upload a changed file."
        super().__init__(text, field="file", version=version_id)


class StillChecking(Conflict):
    """The version's check is still running."""

    code = "dataset:still_checking"

    def __init__(self) -> None:
        super().__init__("This version is still being checked. Wait until the check has finished.")


class VersionGone(Conflict):
    """The version was deleted in the meantime."""

    code = "dataset:version_gone"

    def __init__(self) -> None:
        super().__init__("This version was deleted. Choose another version, or upload the file again.")


class VersionInUse(Conflict):
    """A training run or evaluation uses the version."""

    code = "dataset:version_in_use"

    def __init__(self) -> None:
        text = "This version cannot be deleted: a training run or evaluation uses it and must stay traceable."
        super().__init__(text)


class NotPlainText(Conflict):
    """The rows of a file cannot be copied as they stand in it."""

    code = "dataset:not_plain_text"

    def __init__(self) -> None:
        text = "Rows can be copied only from JSONL, CSV and TSV files that are not compressed. Download the findings."
        super().__init__(text)


class NotReady(Conflict):
    """The version has no rows yet, or was rejected."""

    code = "dataset:not_ready"

    def __init__(self) -> None:
        super().__init__("Only a version that is ready can be an evaluation set.")


class TrainedOn(Conflict):
    """An adapter has seen the rows."""

    code = "dataset:trained_on"

    def __init__(self) -> None:
        text = "An adapter was trained on this version, so its rows can’t show how good one is. Upload other rows."
        super().__init__(text)
