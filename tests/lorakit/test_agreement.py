"""Coefficients of agreement against published values, and what must hold for any ratings.

Gwet's worked examples are those of his handbook, with the values of the irrCAC package 0.4.4. Krippendorff's are those
of R's `irr` and of the `krippendorff` package.
"""

import random
from collections.abc import Callable, Sequence
from functools import partial
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lorakit.stats.agreement import METRICS, WEIGHTS, Agreement, cohen_kappa, gwet_ac, krippendorff_alpha, raw_agreement

EXACT = 1e-6
GRADES = [1, 2, 3, 4, 5]
IRRCAC_METRICS = {
    "identity": "nominal",
    "linear": "linear",
    "quadratic": "interval",
    "ordinal": "ordinal (Gwet)",
}

Table = list[list[int | None]]
Coefficient = Callable[[Sequence[Sequence[float | str | None]], Sequence[float | str]], Agreement]


def parsed(*raters: str) -> Table:
    """One string a rater, one character an item: "." where the rater gave none."""
    return [[None if rating == "." else int(rating) for rating in item] for item in zip(*raters, strict=True)]


def expanded(table: Sequence[Sequence[int]]) -> Table:
    """The pairs that a table of two raters counts."""
    return [
        [row, column]
        for row, counts in enumerate(table, 1)
        for column, count in enumerate(counts, 1)
        for _ in range(count)
    ]


FOUR_RATERS = parsed("123321412...", "1233224125..", ".33323422513", "12332441251.")
FIVE_OBSERVERS = parsed("112.001122.0131", "1130000.2110231", "203000222100221", ".13....0.10022.", "2..0001.2....31")
BEN_AND_GERRY = parsed("112243335441", "212223335.44")
TWO_GROUPS = parsed("123321412...22", "1233224125..21", ".3332342251333", "12332441251.22")
GENDER = parsed("111112223111112", "111121233111121", "122311223122311", "333311223333311")
ABSTRACTORS = expanded([[13, 0, 0], [0, 20, 7], [0, 4, 56]])
DIAGNOSIS = expanded([[40, 4, 4, 17], [6, 25, 2, 13], [4, 1, 21, 12], [15, 5, 9, 45]])
THREE_CODERS = parsed(".....34121133.3", "1.213343.......", "..21344.21133.4")


@pytest.mark.parametrize(
    ("ratings", "weights", "gwet", "gwet_error", "alpha", "alpha_error"),
    [
        (FOUR_RATERS, "identity", 0.775444, 0.14295, 0.743421, 0.145574),
        (FOUR_RATERS, "linear", 0.858739, 0.117329, 0.800384, 0.135478),
        (FOUR_RATERS, "quadratic", 0.914001, 0.103962, 0.849107, 0.12913),
        (FOUR_RATERS, "ordinal", 0.89894, 0.106904, 0.833638, 0.131073),
        (FIVE_OBSERVERS, "identity", 0.496622, 0.121973, 0.48053, 0.113508),
        (FIVE_OBSERVERS, "linear", 0.689639, 0.087691, 0.635208, 0.100045),
        (FIVE_OBSERVERS, "quadratic", 0.830434, 0.058246, 0.771865, 0.086081),
        (FIVE_OBSERVERS, "ordinal", 0.785342, 0.068188, 0.723478, 0.092254),
        (BEN_AND_GERRY, "identity", 0.661442, 0.183962, 0.664894, 0.180071),
        (BEN_AND_GERRY, "linear", 0.672727, 0.195757, 0.615854, 0.231064),
        (BEN_AND_GERRY, "quadratic", 0.706294, 0.206902, 0.587079, 0.303742),
        (BEN_AND_GERRY, "ordinal", 0.69697, 0.202527, 0.596154, 0.278222),
        (TWO_GROUPS, "identity", 0.684604, 0.133533, 0.631806, 0.149699),
        (TWO_GROUPS, "linear", 0.817449, 0.100978, 0.719235, 0.141763),
        (TWO_GROUPS, "quadratic", 0.900735, 0.087429, 0.798096, 0.135609),
        (TWO_GROUPS, "ordinal", 0.878357, 0.090147, 0.772308, 0.138072),
        (GENDER, "identity", 0.208081, 0.090697, 0.143407, 0.140501),
        (GENDER, "linear", 0.176812, 0.111906, 0.113439, 0.145999),
        (GENDER, "quadratic", 0.148148, 0.155547, 0.086195, 0.170998),
        (GENDER, "ordinal", 0.159322, 0.136909, 0.09679, 0.159318),
    ],
)
def test_gwets_worked_examples(
    ratings: Table, weights: str, gwet: float, gwet_error: float, alpha: float, alpha_error: float
) -> None:
    scale = sorted({rating for item in ratings for rating in item if rating is not None})
    ac = gwet_ac(ratings, scale, weights=weights)
    assert (ac.value, ac.error) == pytest.approx((gwet, gwet_error), abs=EXACT)
    krippendorff = krippendorff_alpha(ratings, scale, metric=IRRCAC_METRICS[weights])
    assert krippendorff.value == pytest.approx(alpha, abs=EXACT)
    # Where items have different numbers of ratings, irrCAC's error is up to 0.1% off the jackknife's, which ours meets.
    counts = {sum(rating is not None for rating in item) for item in ratings} - {1}
    assert krippendorff.error == pytest.approx(alpha_error, abs=EXACT if len(counts) == 1 else 2e-4)


@pytest.mark.parametrize(
    ("ratings", "weights", "cohen", "cohen_error", "gwet", "gwet_error", "alpha", "alpha_error"),
    [
        (ABSTRACTORS, "identity", 0.796409, 0.058911, 0.849331, 0.043217, 0.797258, 0.059055),
        (ABSTRACTORS, "linear", 0.842902, 0.047872, 0.900023, 0.029276, 0.843587, 0.047961),
        (ABSTRACTORS, "quadratic", 0.892157, 0.035352, 0.940237, 0.01792, 0.892649, 0.035395),
        (DIAGNOSIS, "identity", 0.431501, 0.045969, 0.456158, 0.04345, 0.431618, 0.046232),
        (DIAGNOSIS, "linear", 0.406811, 0.053388, 0.377068, 0.056065, 0.406884, 0.053669),
        (DIAGNOSIS, "quadratic", 0.383186, 0.065795, 0.298573, 0.075179, 0.383416, 0.066059),
    ],
)
def test_tables_of_two_raters(
    ratings: Table,
    weights: str,
    cohen: float,
    cohen_error: float,
    gwet: float,
    gwet_error: float,
    alpha: float,
    alpha_error: float,
) -> None:
    scale = sorted({rating for item in ratings for rating in item if rating is not None})
    # irrCAC divides by n for tables, where we divide by n - 1, as it does for ratings.
    smaller = ((len(ratings) - 1) / len(ratings)) ** 0.5
    for found, value, error in (
        (cohen_kappa(ratings, scale, weights=weights), cohen, cohen_error),
        (gwet_ac(ratings, scale, weights=weights), gwet, gwet_error),
        (krippendorff_alpha(ratings, scale, metric=IRRCAC_METRICS[weights]), alpha, alpha_error),
    ):
        assert found.value == pytest.approx(value, abs=EXACT)
        assert found.error is not None
        assert found.error * smaller == pytest.approx(error, abs=EXACT)


@pytest.mark.parametrize(
    ("ratings", "scale", "nominal", "ordinal", "interval", "ratio"),
    [
        (THREE_CODERS, [1, 2, 3, 4], 0.691358, 0.806721, 0.810845, 0.808944),
        (FOUR_RATERS, GRADES, 0.743421, 0.815388, 0.849107, 0.797403),
    ],
)
def test_krippendorffs_examples(
    ratings: Table, scale: list[int], nominal: float, ordinal: float, interval: float, ratio: float
) -> None:
    metrics = ("nominal", "ordinal (Krippendorff)", "interval", "ratio")
    found = [krippendorff_alpha(ratings, scale, metric=metric).value for metric in metrics]
    assert found == pytest.approx([nominal, ordinal, interval, ratio], abs=EXACT)


def test_coefficients_say_what_they_are() -> None:
    pairs = [[1, 1], [2, 3], [5, 5]]
    assert (gwet_ac(pairs, GRADES).name, gwet_ac(pairs, GRADES).weights) == ("Gwet's AC1", "identity")
    assert gwet_ac(pairs, GRADES, weights="ordinal").name == "Gwet's AC2"
    assert cohen_kappa(pairs, GRADES, weights="linear").name == "Cohen's weighted kappa"
    assert krippendorff_alpha(pairs, GRADES, metric="ordinal (Gwet)").weights == "ordinal (Gwet)"


def test_skewed_ratings_have_a_low_alpha_and_a_high_ac1() -> None:
    pairs = [[1, 1]] * 90 + [[1, 2]] * 5 + [[2, 1]] * 5
    alpha, ac1 = krippendorff_alpha(pairs, [1, 2], metric="nominal"), gwet_ac(pairs, [1, 2])
    assert alpha.value is not None
    assert alpha.value < 0
    assert ac1.value is not None
    assert ac1.value > 0.85
    assert alpha.raw == ac1.raw == 0.9


def test_equal_ratings_have_neither_kappa_nor_alpha() -> None:
    same = [[5, 5]] * 30
    for found in (cohen_kappa(same, GRADES), krippendorff_alpha(same, GRADES, metric="nominal")):
        assert (found.value, found.interval, found.raw, found.items) == (None, None, 1.0, 30)
    ac1 = gwet_ac(same, GRADES)
    assert ac1.value == 1
    assert ac1.interval is not None
    assert ac1.interval.low < 1


def test_a_kappa_that_misses_nothing_but_chance_by_rounding() -> None:
    # Shares that are no binary fractions: sums of them may come out as 0.9999999999999999.
    assert cohen_kappa([[1, 1]] * 49, [1, 2], weights="identity").value is None
    assert cohen_kappa([[1, 2]] * 49, [1, 2], weights="identity").value == pytest.approx(0)


def test_without_two_ratings_of_an_item_there_is_no_agreement() -> None:
    alone: Table = [[1, None], [None, 2], [None, None]]
    for found in (
        cohen_kappa(alone, GRADES),
        krippendorff_alpha(alone, GRADES, metric="interval"),
        gwet_ac(alone, GRADES),
    ):
        assert (found.value, found.raw, found.interval) == (None, None, None)
    assert raw_agreement([]) is None
    assert gwet_ac([], GRADES).items == 0


def test_one_item_has_no_interval() -> None:
    for found in (cohen_kappa([[1, 2]], GRADES), gwet_ac([[1, 2]], GRADES)):
        assert found.value is not None
        assert (found.error, found.interval) == (None, None)


def test_raw_agreement() -> None:
    assert raw_agreement([[1, 1, 2], [3, 3, None], [None, 1, None]]) == pytest.approx((1 / 3 + 1) / 2)


def test_what_cannot_be_compared_is_an_error() -> None:
    with pytest.raises(ValueError, match="not on the scale"):
        gwet_ac([[1, 6]], GRADES)
    with pytest.raises(ValueError, match="at least two values"):
        krippendorff_alpha([[1, 1]], [1, 1], metric="nominal")
    with pytest.raises(ValueError, match="two raters"):
        cohen_kappa([[1, 2, 3]], GRADES)
    with pytest.raises(ValueError, match="unknown weights"):
        cohen_kappa([[1, 2]], GRADES, weights="cubic")
    with pytest.raises(ValueError, match="unknown metric"):
        krippendorff_alpha([[1, 2]], GRADES, metric="ordinal")
    with pytest.raises(ValueError, match="scale of numbers"):
        cohen_kappa([["yes", "no"]], ["no", "yes"], weights="linear")
    with pytest.raises(ValueError, match="negative"):
        krippendorff_alpha([[-1, 1]], [-1, 1], metric="ratio")


COEFFICIENTS: dict[str, Coefficient] = {
    **{f"kappa {weights}": partial(cohen_kappa, weights=weights) for weights in WEIGHTS},
    **{f"ac {weights}": partial(gwet_ac, weights=weights) for weights in WEIGHTS},
    **{f"alpha {metric}": partial(krippendorff_alpha, metric=metric) for metric in METRICS},
}
RATING = st.none() | st.sampled_from(GRADES)
PAIRS = st.lists(st.tuples(RATING, RATING), max_size=25)


def figures(found: Agreement) -> list[float]:
    interval = [found.interval.low, found.interval.high] if found.interval else []
    return [figure for figure in (found.value, found.raw, found.error) if figure is not None] + interval


@pytest.mark.parametrize("name", COEFFICIENTS)
@given(pairs=PAIRS)
@settings(deadline=None)
def test_coefficients_lie_within_bounds(name: str, pairs: list[tuple[int | None, int | None]]) -> None:
    found = COEFFICIENTS[name](pairs, GRADES)
    if found.value is not None:
        assert found.value <= 1 + 1e-12
        assert found.expected is not None
        lowest = -found.expected / (1 - found.expected)
        assert found.value >= lowest - 1e-12
        if found.interval is not None:
            assert min(lowest, -1) <= found.interval.low < found.interval.high <= 1


@pytest.mark.parametrize("name", COEFFICIENTS)
@given(pairs=PAIRS, seed=st.integers(0, 100))
@settings(deadline=None)
def test_the_order_of_raters_and_of_items_does_not_matter(
    name: str, pairs: list[tuple[int | None, int | None]], seed: int
) -> None:
    swapped = [(second, first) for first, second in pairs]
    random.Random(seed).shuffle(swapped)
    assert figures(COEFFICIENTS[name](swapped, GRADES)) == pytest.approx(figures(COEFFICIENTS[name](pairs, GRADES)))


@pytest.mark.parametrize("name", [name for name in COEFFICIENTS if "ratio" not in name])
@given(pairs=PAIRS)
@settings(deadline=None)
def test_a_scale_turned_round_does_not_matter(name: str, pairs: list[tuple[int | None, int | None]]) -> None:
    turned = [tuple(None if rating is None else 6 - rating for rating in pair) for pair in pairs]
    assert figures(COEFFICIENTS[name](turned, GRADES)) == pytest.approx(figures(COEFFICIENTS[name](pairs, GRADES)))


@pytest.mark.parametrize("name", ["kappa identity", "ac identity", "alpha nominal"])
@given(pairs=PAIRS, names=st.permutations(["a", "b", "c", "d", "e"]))
@settings(deadline=None)
def test_other_names_of_labels_do_not_matter(
    name: str, pairs: list[tuple[int | None, int | None]], names: list[str]
) -> None:
    named = [tuple(None if rating is None else names[rating - 1] for rating in pair) for pair in pairs]
    assert figures(COEFFICIENTS[name](named, sorted(names))) == pytest.approx(
        figures(COEFFICIENTS[name](pairs, GRADES))
    )


@pytest.mark.parametrize("metric", ["nominal", "ordinal (Krippendorff)", "interval"])
def test_errors_are_those_of_the_jackknife(metric: str) -> None:
    ratings = [item for item in FIVE_OBSERVERS if sum(rating is not None for rating in item) > 1] * 10
    scale = [0, 1, 2, 3]
    left_out = []
    for place in range(len(ratings)):
        value = krippendorff_alpha(ratings[:place] + ratings[place + 1 :], scale, metric=metric).value
        assert value is not None
        left_out.append(value)
    middle, n = fmean(left_out), len(ratings)
    jackknife = ((n - 1) / n * sum((value - middle) ** 2 for value in left_out)) ** 0.5
    # With Krippendorff's ordinal metric distances depend on the data too, which the formula leaves out.
    within = 0.04 if metric == "ordinal (Krippendorff)" else 0.005
    assert krippendorff_alpha(ratings, scale, metric=metric).error == pytest.approx(jackknife, rel=within)


def graded(generator: random.Random, items: int, scale: list[int], right: float, last: int) -> Table:
    """By two raters who give the true grade in the share `right`, else any; the last is `last` times as frequent."""
    weights = [1] * (len(scale) - 1) + [last]
    truths = generator.choices(scale, weights, k=items)
    return [[truth if generator.random() < right else generator.choice(scale) for _ in range(2)] for truth in truths]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["kappa identity", "kappa quadratic", "ac identity", "ac quadratic", "alpha nominal"])
@pytest.mark.parametrize(("scale", "right", "last"), [(GRADES, 0.95, 1), (GRADES, 0.8, 1), ([1, 2], 0.95, 9)])
def test_intervals_hold_for_few_items(name: str, scale: list[int], right: float, last: int) -> None:
    generator = random.Random(11)
    truth = COEFFICIENTS[name](graded(generator, 20_000, scale, right, last), scale).value
    assert truth is not None
    held = runs = 0
    for _ in range(200):
        interval = COEFFICIENTS[name](graded(generator, 20, scale, right, last), scale).interval
        # Where all ratings are equal there is none.
        if interval:
            runs += 1
            held += interval.low <= truth <= interval.high
    assert runs > 180
    assert held / runs >= 0.93
