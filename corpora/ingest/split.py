"""Decides which rows are held out for the test.

A row's place is drawn from its own id. But for files of a few rows it is therefore the same in every later version of
the dataset: a row that was trained on does not become a test row because others were added.
"""

from dataclasses import dataclass

from corpora.ingest.contracts import Row, Split

ID_SPACE = 1 << 64


@dataclass
class SplitPlan:
    """Sees every row once, then places each.

    Where some rows name their split, the others are for training. Where none does, about `test_share` of them are
    held out, and never none nor all.
    """

    test_share: float
    named_train: int = 0
    named_test: int = 0
    lowest: str = ""
    highest: str = ""

    def see(self, row: Row) -> None:
        """Take note of one row."""
        self.named_train += row.split == "train"
        self.named_test += row.split == "test"
        self.lowest = min(self.lowest or row.id, row.id)
        self.highest = max(self.highest, row.id)

    def place(self, row: Row) -> Split:
        """The row's split."""
        if row.split is not None:
            return row.split
        if self.named_train or self.named_test:
            return "train"
        if row.id == self.lowest:
            return "test"
        if row.id == self.highest:
            return "train"
        return "test" if int(row.id[:16], 16) < self.test_share * ID_SPACE else "train"
