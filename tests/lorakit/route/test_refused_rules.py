"""No pattern can take long: each is refused, or bounded by the length of the text."""

import pytest

from lorakit.route import __main__ as child
from lorakit.route.bounded import compile_bounded
from lorakit.route.rules import LONGEST_KEYWORD, LONGEST_PATTERN, MOST_RULES, MOST_TEXTS, BadRules, Rule
from lorakit.route.table import LONGEST_TEXT, Table
from tests.lorakit.route.test_first_rule import keyword, pattern

CATASTROPHIC = ("(a+)+$", "(a|aa)+$", "(a*)*b", "(.*a){20}$", "^(([a-z])+.)+[A-Z]([a-z])+$", r"(x+x+)+y")


@pytest.mark.parametrize("text", CATASTROPHIC)
def test_what_backtracks_for_ages_elsewhere_is_done_at_once(text: str) -> None:
    """Python's own matcher would not return from some of these in the life of the universe."""
    table = Table.compile([pattern(text), keyword("last")])
    assert table.first("a" * (LONGEST_TEXT - 6) + "! last") == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (r"(a)\1", "Back-references"),
        ("(?=a)b", "Look-ahead"),
        ("(?<!a)b", "Look-ahead"),
        ("a*", "every text"),
        (r"a\z", "Use \\$"),
        ("ab(", "position 2"),
        ("x.{0,999}y", "too large"),
        ("a\x00b", "invalid character"),
        ("a\ud800", "invalid character"),
    ],
)
def test_what_cannot_run_so_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(BadRules, match=f"Rule 2: .*{said}") as refused:
        Table.compile([keyword("fine"), pattern("fine", text)])
    assert (refused.value.rule, refused.value.text) == (1, 1)


@pytest.mark.slow
def test_a_pattern_that_takes_minutes_to_compile_is_given_up() -> None:
    with pytest.raises(BadRules, match="Rule 1: This takes too long to compile"):
        compile_bounded([pattern(r"(\p{L}{1,30}\s){1,10}z"), keyword("fine")])


def test_the_child_names_the_rule_as_the_parent_would() -> None:
    with pytest.raises(BadRules, match="Rule 2: Look-ahead") as refused:
        compile_bounded([keyword("fine"), pattern("(?=a)b")])
    assert (refused.value.rule, refused.value.text) == (1, 0)
    assert Table.load(compile_bounded([keyword("fine"), pattern("b+")])).first("abb") == 1
    assert child.CPU_SECONDS < 10


@pytest.mark.parametrize(
    ("rules", "said", "at"),
    [
        ([keyword("a")] * (MOST_RULES + 1), "at most 1,000 rules", None),
        ([keyword(*("a" for _ in range(MOST_TEXTS)))] * 101, "5,000 keywords", None),
        ([keyword(*("a" for _ in range(MOST_TEXTS + 1)))], "at most 50", 0),
        ([keyword()], "at least one keyword", 0),
        ([keyword("a"), keyword(" ")], "empty", 1),
        ([keyword("\u200b")], "invalid character", 0),
        ([keyword("a" * (LONGEST_KEYWORD + 1))], "at most 100 characters", 0),
        ([pattern("a" * (LONGEST_PATTERN + 1))], "at most 200 characters", 0),
    ],
)
def test_limits(rules: list[Rule], said: str, at: int | None) -> None:
    with pytest.raises(BadRules, match=said) as refused:
        Table.compile(rules)
    assert refused.value.rule == at
