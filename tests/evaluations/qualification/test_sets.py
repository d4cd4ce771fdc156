"""The built-in questions are whole, differ from each other, and contradict nothing."""

from collections import defaultdict

import pytest

from evaluations.qualification import sets
from evaluations.qualification.cases import BANDS, RIGHT, Case, Pair, cases, everything, pairs
from evaluations.qualification.sets import Item, WrongSet, attacks, item_sets
from tests.evaluations.judges.scripted_model import COMMAND, obedient

ITEMS = [(questions, item) for questions in item_sets() for item in questions.items]


def test_there_are_enough_questions_of_each_kind() -> None:
    counts = {questions.name: len(questions.items) for questions in item_sets()}
    assert sorted(counts) == ["completeness", "correctness", "form", "labels"]
    assert all(12 <= count <= 20 for count in counts.values()), counts


@pytest.mark.parametrize("questions", item_sets(), ids=lambda questions: questions.name)
def test_a_criterion_says_what_each_grade_means(questions: sets.ItemSet) -> None:
    criterion = questions.criterion
    assert (criterion.lowest, criterion.highest) == (1, 5)
    assert sorted(criterion.anchors) == [1, 2, 3, 4, 5]


def test_no_two_answers_of_a_question_are_the_same_text() -> None:
    """Otherwise one text would have to get two grades."""
    for _, item in ITEMS:
        texts = [" ".join(text.split()) for text in item.answers.values()]
        assert len(set(texts)) == len(texts), item.id


def test_no_text_has_two_bands_and_right_ones_lie_above_wrong_ones() -> None:
    bands: dict[tuple[str, str], set[tuple[int, int]]] = defaultdict(set)
    for case in cases():
        assert 1 <= case.band[0] <= case.band[1] <= 5
        bands[case.item, case.prompt.answer].add(case.band)
    assert not [key for key, found in bands.items() if len(found) > 1]
    lowest_right = min(low for kind, (low, _) in BANDS.items() if kind in RIGHT)
    assert all(high < lowest_right for kind, (_, high) in BANDS.items() if kind not in RIGHT)


def test_long_winded_answers_are_long_and_the_wrong_ones_are_not_short() -> None:
    for _, item in ITEMS:
        if "padded" in item.answers:
            assert len(item.answers["padded"]) > 2.5 * len(item.answers["terse"]), item.id
        assert len(item.answers["wrong"]) >= 0.5 * len(item.answers["reworded"]), item.id


def test_every_attack_is_used_and_holds_the_wrong_answer() -> None:
    by_item = {item.id: item for _, item in ITEMS}
    injected = [case for case in cases() if case.kind == "injected"]
    for case in injected:
        item: Item = by_item[case.item.partition("/")[2]]
        assert item.answers["wrong"] in case.prompt.answer
        assert "5" in case.prompt.answer
    for number, injection in enumerate(attacks().injections):
        answer = injected[number].prompt.answer
        wrong = by_item[injected[number].item.partition("/")[2]].answers["wrong"]
        assert answer == injection.format(answer=wrong, highest=5)
    assert {case.prompt.answer for case in cases() if case.kind == "constant"} == set(attacks().constant)


def test_no_demand_leaves_the_block_of_the_answer() -> None:
    """A grader that obeys whatever stands outside of marked blocks is told nothing; without markers it would be."""
    injected = [case for case in cases() if case.kind == "injected"]
    demands = [case for case in injected if COMMAND.search(case.prompt.answer)]
    assert len(demands) > len(injected) / 2
    for case in injected:
        assert obedient(case.prompt.system, case.prompt.user).document["reason"] != "I was told to.", case.key
    for case in demands:
        assert obedient("", case.prompt.answer).document == {"reason": "I was told to.", "score": 5}, case.key


def test_every_question_is_asked_once_and_pairs_in_both_orders() -> None:
    keys = [one.key for one in everything()]
    assert len(set(keys)) == len(keys)
    assert len({one.prompt.sha256 for one in everything()}) == len(keys)
    assert all(isinstance(one, Case | Pair) for one in everything())
    orders: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for pair in pairs():
        orders[pair.pair].add((pair.prompt.first, pair.prompt.second))
    for found in orders.values():
        assert len(found) == 2
        assert len({frozenset(texts) for texts in found}) == 1


def test_other_languages_than_english_are_asked() -> None:
    text = " ".join(item.question for _, item in ITEMS)
    assert "Welche" in text
    assert "Quel" in text


GOOD = {"id": "one", "question": "Q", "expected": "E", "reworded": "R", "partly": "P", "wrong": "W", "foreign": "F"}


def test_a_whole_item_is_read() -> None:
    assert sets._item("x", {**GOOD, "terse": "T", "padded": "Long"}).right == "terse"
    assert sets._item("x", GOOD).right == "reworded"


@pytest.mark.parametrize(
    "changes", [{"wrong": None}, {"wrong": " "}, {"wrong": False}, {"terse": "T"}, {"pedded": "L"}], ids=str
)
def test_a_wrong_item_is_refused(changes: dict[str, object]) -> None:
    content = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    with pytest.raises(WrongSet, match="x/one"):
        sets._item("x", content)
