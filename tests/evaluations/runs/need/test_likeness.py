"""Whether a version does more than repeat, in words: on the rows least like the training rows, and without the same."""

from collections.abc import Sequence

import pytest

from evaluations.runs.need.compared import Need, need_of
from evaluations.runs.need.likeness_words import repeats_sentence, same_sentence
from evaluations.runs.need.panel import need_panel, similarity_range
from tests.evaluations.runs.need.runs import passes, run_of

ROWS = 90
LIKENESSES = [place / ROWS for place in range(ROWS)]
"""So the first thirty rows are the least alike."""


def of_least_alike(right: int) -> list[bool]:
    """Right on so many of the thirty least alike rows, and on all others."""
    return [*passes(right, 30), *passes(60, 60)]


def needed(**right: list[bool]) -> Need:
    need = need_of(run_of(right, likenesses=LIKENESSES))
    assert need is not None
    return need


def concluded(**right: int) -> tuple[str | None, str]:
    need = needed(**{key: of_least_alike(count) for key, count in right.items()})
    assert need.likeness is not None
    return need.likeness.conclusion, repeats_sentence(need)


def test_it_learnt_if_it_beats_the_look_up_and_the_base() -> None:
    conclusion, text = concluded(base=2, v2=25, look_up=6)
    assert conclusion == "learnt"
    assert text == (
        "On the 30 rows least like its training rows, v2 gives the expected answer on 83.3%, the base model alone on "
        "6.7% and a look-up on 20.0%: it learnt more than to repeat. This is unlikely to be chance: 41 to 77 points "
        "more than a look-up, with 95% confidence."
    )


def test_what_the_base_could_do_before_was_not_learnt() -> None:
    conclusion, text = concluded(base=24, v2=25, look_up=6)
    assert conclusion == "base too"
    assert "what it gains on the base model there may be chance" in text
    assert "learnt" not in text


def test_a_better_base_is_named() -> None:
    conclusion, text = concluded(base=29, v2=16, look_up=2)
    assert conclusion == "base better"
    assert "the base model alone does better there" in text


def test_without_the_base_nothing_is_said_of_learning() -> None:
    conclusion, text = concluded(v2=25, look_up=6)
    assert conclusion == "more than repeats"
    assert "a look-up on 20.0%: it does more than repeat. This is unlikely" in text


def test_repeating_may_be_better() -> None:
    conclusion, text = concluded(base=0, v2=6, look_up=25)
    assert conclusion == "repeating is better"
    assert text.endswith(
        "Repeating the most similar training row is better there: 41 to 77 points more, with 95% confidence."
    )


@pytest.mark.parametrize(("look_up", "why"), [(16, "This may be chance."), (18, "They may differ all the same.")])
def test_what_may_be_chance_is_no_claim(look_up: int, why: str) -> None:
    conclusion, text = concluded(base=0, v2=18, look_up=look_up)
    assert conclusion == "unclear"
    assert f"{why} More held-out rows are needed" in text
    assert "learnt" not in text


def test_thirds_of_fewer_than_twenty_prompts_say_nothing() -> None:
    need = need_of(run_of({"v2": passes(45, 45), "look_up": passes(0, 45)}, likenesses=LIKENESSES[:45]))
    assert need is not None
    assert need.likeness is not None
    assert need.likeness.conclusion == "too few"
    assert "At least 20 different prompts among them" in repeats_sentence(need)


@pytest.mark.parametrize("likenesses", [LIKENESSES[:29], [0.5] * 40, ()])
def test_without_thirds_there_is_no_sentence(likenesses: Sequence[float]) -> None:
    rows = len(likenesses) or 40
    run = run_of({"v2": passes(rows, rows), "look_up": passes(0, rows)}, likenesses=likenesses)
    need, panel = need_of(run), need_panel(run)
    assert need is not None
    assert panel is not None
    assert repeats_sentence(need) == ""
    assert panel.likeness is None


def test_the_panel_has_the_decisive_alternative_too() -> None:
    right = {"v2": 25, "base": 2, "look_up": 6, "few_shot": 27}
    run = run_of({key: of_least_alike(count) for key, count in right.items()}, likenesses=LIKENESSES)
    panel = need_panel(run)
    assert panel is not None
    assert panel.likeness is not None
    assert panel.decisive == "few_shot"
    least, between, most = panel.likeness.parts
    assert (least.title, least.rows, least.similarity) == ("Least alike", 30, "0.00 to 0.32")
    assert (between.title, most.title) == ("Between", "Most alike")
    assert [name for name, *_ in least.scores] == ["v2", "base", "look_up", "few_shot"]
    assert least.scores[0] == ("v2", "83.3%", "65 to 94%")


def test_texts_are_compared_by_their_words() -> None:
    run = run_of({"v2": passes(90, 90), "look_up": passes(0, 90)}, likenesses=LIKENESSES, texts=True)
    need = need_of(run)
    assert need is not None
    text = repeats_sentence(need)
    assert "v2 reaches ROUGE-L 0." in text
    assert "it does more than repeat" in text
    assert "%," not in text


def same_of(same: Sequence[int], right: Sequence[bool]) -> str:
    need = need_of(run_of({"v2": right, "look_up": passes(0, 90)}, likenesses=LIKENESSES, same=same))
    assert need is not None
    return same_sentence(need)


def test_the_score_without_the_same_rows_is_said() -> None:
    assert same_of(range(30), passes(60, 90)) == (
        "30 of 90 held-out rows mean nearly the same as a training row: results look better than they are. Without "
        "them, v2 gives the expected answer on 50.0% instead of 66.7%."
    )


def test_results_do_not_look_better_where_they_do_not() -> None:
    assert same_of([89], passes(60, 90)) == (
        "1 of 90 held-out rows means nearly the same as a training row. Without it, v2 gives the expected answer on "
        "67.4% instead of 66.7%."
    )


def test_no_row_may_be_left() -> None:
    assert same_of(range(90), passes(60, 90)) == (
        "90 of 90 held-out rows mean nearly the same as a training row. No other row is left to say what v2 does "
        "without."
    )


def test_without_such_rows_nothing_is_said() -> None:
    assert same_of([], passes(60, 90)) == ""


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(0.1, 0.29, "0.10 to 0.29"), (0.5, 0.5099, "0.50"), (0.9499, 1.0, "0.94 to 1.00"), (0.998, 0.9999, "0.99")],
)
def test_similarities_are_rounded_down(low: float, high: float, text: str) -> None:
    assert similarity_range(low, high) == text
