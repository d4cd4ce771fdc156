"""Divides a step's work among rows."""

from collections.abc import Sequence as Many
from dataclasses import dataclass
from typing import Generic

from lorakit.serve.steps.sequences import S


@dataclass(frozen=True)
class Turn(Generic[S]):
    """A row's part of a step: how many of its tokens the model reads."""

    row: S
    count: int


def divide(rows: Many[tuple[str, S]], budget: int) -> list[Turn[S]]:
    """The turns of rows, each given with the group it belongs to, in their order.

    A row that says its answer reads one token. Those that still read share `budget` tokens so that every group gets as
    much as any other, or all it needs; within a group, who comes first reads first. Rows that get nothing are left out.
    """
    saying = [Turn(row, 1) for _, row in rows if row.is_decoding]
    groups: dict[str, list[S]] = {}
    for group, row in rows:
        if not row.is_decoding:
            groups.setdefault(group, []).append(row)
    needs = {group: sum(row.pending for row in members) for group, members in groups.items()}
    reading: list[Turn[S]] = []
    for done, group in enumerate(sorted(groups, key=lambda name: needs[name])):
        share = min(needs[group], -(-budget // (len(groups) - done)))
        budget -= share
        for row in groups[group]:
            if count := min(row.pending, share):
                reading.append(Turn(row, count))
                share -= count
    return [*saying, *reading]
