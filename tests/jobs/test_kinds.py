"""People read a kind's title, never its name."""

import pytest

from jobs.kinds import get_kind, title_of

NAMES = (
    "dataset_inspect", "dataset_check", "training", "evaluation", "judging", "judge_alignment", "judge_qualification",
    "judge_again", "promotion", "trial", "endpoint_move",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_each_has_a_title(name: str) -> None:
    assert title_of(name) == get_kind(name).title
    assert title_of(name)[0].isupper()
    assert "_" not in title_of(name)


def test_one_that_is_no_longer_known_is_still_shown() -> None:
    assert title_of("model_merge") == "Model merge"
