"""The filters above a grid, with the number of rows of each where that is known."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q

from evaluations.runs.grid.address import SHOWS
from evaluations.runs.grid.chips import Chip
from evaluations.runs.grid.grid import Grid
from evaluations.runs.stages.held_out import ALL


@dataclass(frozen=True, kw_only=True)
class Filter:
    """A filter that is on or off: `name` and `value` are its parameter; `count` is None where it is not known."""

    name: str
    value: str
    title: str
    count: int | None
    is_on: bool


def filters_of(grid: Grid, chips: Sequence[Chip]) -> list[Filter]:
    """The filters that may leave rows; one that is on stays, so that it can be taken off."""
    wanted, run = grid.wanted, grid.run
    if not run.summary:
        return []
    counts: dict[str, int | None] = {}
    if grid.outcome is not None:
        counts = {"worse": grid.outcome.worse, "better": grid.outcome.better, "differs": None}
    reviews = grid.reviews.aggregate(
        graded=Count("round_item__item", distinct=True),
        commented=Count("round_item__item", distinct=True, filter=~Q(comment="")),
    )
    if reviews["graded"]:
        counts |= {"disputed": None, **reviews}
    if run.summary[ALL]["figures"].get(grid.own.key, {}).get("calibration_error") is not None:
        counts["unsure"] = None
    shows = [
        Filter(name="show", value=name, title=title, count=counts.get(name), is_on=name in wanted.show)
        for name, title in SHOWS.items()
        if counts.get(name, 0) != 0 or name in wanted.show or (name == "worse" and grid.outcome)
    ]
    wrongs = [
        Filter(
            name="wrong",
            value=chip.model.key,
            title=f"{chip.model.name} wrong",
            count=chip.wrong,
            is_on=chip.model.key in wanted.wrong,
        )
        for chip in sorted(chips, key=lambda chip: chip.model != grid.own)
    ]
    return [*shows[:2], *wrongs, *shows[2:]]
