"""Whether training was needed, from a summary: the verdict and its words in every case, and where a version wins."""

from collections.abc import Mapping, Sequence

import pytest

from evaluations.runs.need import compared
from evaluations.runs.need.compared import Need, need_of
from evaluations.runs.need.panel import duration, need_panel
from evaluations.runs.need.words import HEADINGS, difference, rows_in_words, sentence
from tests.evaluations.runs.need.runs import Models, Run, passes, run_of


def needed(right: Mapping[str, Sequence[bool]], *, slices: Sequence[str] = (), texts: bool = False) -> Need | None:
    """Of models that give the expected answer, a label, or not, by row."""
    return need_of(run_of(right, slices=slices, texts=texts))


def test_training_was_needed_if_the_version_beats_every_alternative() -> None:
    need = needed({"v2": passes(38, 40), "look_up": passes(20, 40), "few_shot": passes(10, 40)})
    assert need is not None
    assert (need.verdict, need.decisive.key) == ("needed", "look_up")
    assert sentence(need) == (
        "v2 gives the expected answer on 95.0% of 40 held-out rows, a look-up of the most similar training row on "
        "50.0%. This is unlikely to be chance: 27 to 60 points more, with 95% confidence."
    )


def test_it_was_not_if_an_alternative_is_better() -> None:
    need = needed({"v2": passes(20, 40), "look_up": passes(38, 40), "few_shot": passes(5, 40)})
    assert need is not None
    assert (need.verdict, need.decisive.key) == ("not needed", "look_up")
    assert sentence(need).endswith("This is unlikely to be chance: 27 to 60 points fewer, with 95% confidence.")


def test_neither_was_it_if_the_base_alone_is_better() -> None:
    need = needed({"base": passes(38, 40), "v2": passes(20, 40), "look_up": passes(5, 40)})
    assert need is not None
    assert (need.verdict, need.decisive.key) == ("not needed", "base")
    assert "the base model alone on 95.0%" in sentence(need)


def test_an_alternative_that_differs_by_next_to_nothing_is_as_good() -> None:
    need = needed({"v2": passes(197, 200), "look_up": passes(196, 200), "few_shot": passes(5, 200)})
    assert need is not None
    assert (need.verdict, need.decisive.key) == ("as good", "look_up")
    assert "Whichever is better, the difference is at most" in sentence(need)


def test_a_difference_that_may_be_chance_is_not_clear() -> None:
    need = needed({"v2": passes(24, 40), "look_up": passes(21, 40)})
    assert need is not None
    assert need.verdict == "unclear"
    assert "This may be chance. More held-out rows" in sentence(need)


def test_equal_scores_are_not_called_chance() -> None:
    need = needed({"v2": passes(24, 40), "look_up": [not one for one in passes(16, 40)]})
    assert need is not None
    assert need.verdict == "unclear"
    assert "They may differ all the same. More held-out rows" in sentence(need)


@pytest.mark.parametrize(("rows", "other"), [(6, 3), (12, 0), (1, 1)])
def test_too_few_rows_say_nothing_for_training(rows: int, other: int) -> None:
    need = needed({"v2": passes(rows, rows), "look_up": passes(other, rows)})
    assert need is not None
    assert need.verdict == "too few"
    assert "At least 20 different held-out prompts" in sentence(need)


def test_of_equally_good_alternatives_the_cheapest_decides() -> None:
    need = needed({"v2": passes(38, 40), "few_shot": passes(20, 40), "look_up": passes(20, 40)})
    assert need is not None
    assert need.decisive.key == "look_up"


def test_texts_are_compared_by_their_words() -> None:
    need = needed({"v2": passes(38, 40), "look_up": passes(10, 40)}, texts=True)
    assert need is not None
    assert (need.metric, need.verdict) == ("rouge_l", "needed")
    assert sentence(need).startswith("v2 reaches ROUGE-L 0.")
    assert rows_in_words(need, need.decisive) == ""
    assert "points" not in difference(need, need.decisive)


def test_without_alternatives_nothing_is_said() -> None:
    assert needed({"v2": passes(38, 40), "base": passes(10, 40)}) is None
    assert need_of(Run({}, Models())) is None  # type: ignore[arg-type]


def test_rows_are_counted_both_ways() -> None:
    look_up = [True] * 8 + [False] * 30 + [True] * 2
    need = needed({"v2": passes(38, 40), "look_up": look_up})
    assert need is not None
    assert rows_in_words(need, need.decisive) == (
        "It does as well or better on 25.0% of these rows. v2 wins on 75.0% and loses on 5.0%."
    )


def test_a_version_that_wins_nowhere_is_told_so() -> None:
    need = needed({"v2": passes(10, 40), "look_up": passes(38, 40)})
    assert need is not None
    assert rows_in_words(need, need.decisive) == (
        "It does as well or better on 100.0% of these rows. v2 wins on none and loses on 70.0%."
    )


def test_the_slice_in_which_most_wins_lie_is_named() -> None:
    slices = ["refunds"] * 10 + ["cards"] * 30
    need = needed({"v2": passes(38, 40), "look_up": [False] * 9 + [True] * 29 + [False] * 2}, slices=slices)
    assert need is not None
    assert "v2 wins on 22.5%, mostly where slice is “refunds”." in rows_in_words(need, need.decisive)


def test_wins_that_lie_everywhere_have_no_place() -> None:
    slices = ["refunds", "cards"] * 20
    need = needed({"v2": passes(38, 40), "look_up": passes(10, 40)}, slices=slices)
    assert need is not None
    assert need.decisive.won is None


def test_the_panel_has_the_version_first_then_the_best() -> None:
    run = run_of({"v2": passes(38, 40), "few_shot": passes(10, 40), "look_up": passes(20, 40)})
    panel = need_panel(run)
    assert panel is not None
    assert [line.key for line in panel.lines] == ["v2", "look_up", "few_shot"]
    own, look_up, _ = panel.lines
    assert (own.difference, own.won, own.seconds) == ("", None, "0.50 s")
    assert (look_up.won, look_up.lost, look_up.seconds) == (18, 0, "0.4 ms")
    assert look_up.difference.startswith("+45.0 points (")
    assert panel.heading == HEADINGS["needed"]


def test_an_answer_costs_its_time_at_the_machines_price() -> None:
    run = run_of({"v2": passes(38, 40), "few_shot": passes(20, 40)})
    panel = need_panel(run)
    assert panel is not None
    # Half a second for each of 1,000 answers.
    assert [line.usd_of_1000 for line in panel.lines] == [pytest.approx(0.125)] * 2
    run.job.usd_per_hour = None
    unknown = need_panel(run)
    assert unknown is not None
    assert [line.usd_of_1000 for line in unknown.lines] == [None, None]


@pytest.mark.parametrize("key", ["look_up", "classifier"])
def test_what_the_site_answers_itself_has_no_cost(key: str) -> None:
    panel = need_panel(run_of({"v2": passes(38, 40), key: passes(20, 40)}))
    assert panel is not None
    own, answered_here = panel.lines
    assert own.usd_of_1000 == pytest.approx(0.125)
    assert (answered_here.seconds != "", answered_here.usd_of_1000) == (True, None)


def test_every_verdict_has_a_heading() -> None:
    assert set(HEADINGS) == set(compared.Verdict.__args__)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.00001, "below 0.1 ms"), (0.0123, "12.3 ms"), (0.25, "0.25 s"), (1234.5, "1,234 s")],
)
def test_durations_have_units(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text
