"""The first rule in order wins, as a plain reading of the rules has it."""

import re
from itertools import pairwise

import hypothesis
import pytest
from hypothesis import strategies as st

from lorakit.route.router import Decision, Guess, Router
from lorakit.route.rules import Rule
from lorakit.route.table import LONGEST_TEXT, Table, Unreadable
from tests.examples import examples

WORDS = (
    "refund",
    "Invoice",
    "straße",
    "σας",
    "ΣΑΣ",
    "élan",
    "elan",
    "x",
    "re",
    "fund",
    "c++",
    "日本",
    "退款",
    "a_b",
    "42",
)
BETWEEN = (" ", "", "-", ", ", "\n", " — ", "…", "’", "\x00", "_")
UNSPACED = "日本退款"


def keyword(*texts: str, target: str = "billing") -> Rule:
    return Rule(kind="keyword", texts=texts, target=target)


def pattern(*texts: str, target: str = "billing") -> Rule:
    return Rule(kind="pattern", texts=texts, target=target)


def plainly_first(rules: list[Rule], text: str) -> int | None:
    """By Python's own regular expressions, one rule after the other."""
    folded = text.casefold()
    for index, rule in enumerate(rules):
        for wanted in rule.texts:
            if rule.kind == "pattern":
                found = re.search(wanted, f"{text}\n\n", re.IGNORECASE | re.ASCII | re.MULTILINE)
            else:
                inner = phrase(wanted.casefold().split())
                before = "" if wanted[0] in UNSPACED else r"(?<![^\W日本退款])"
                after = "" if wanted[-1] in UNSPACED or not wanted[-1].isalnum() else r"(?![^\W日本退款])"
                found = re.search(f"{before}{inner}{after}", folded)
            if found:
                return index
    return None


def phrase(words: list[str]) -> str:
    """White space stands between words, and may where a script without it begins or ends."""
    found = re.escape(words[0])
    for before, after in pairwise(words):
        found += r"\s*" if (before[-1] in UNSPACED) != (after[0] in UNSPACED) else r"\s+"
        found += re.escape(after)
    return found


texts = st.lists(st.sampled_from(WORDS + BETWEEN), max_size=12).map("".join)
phrases = st.lists(st.sampled_from(WORDS), min_size=1, max_size=2).map(" ".join)
patterns = st.sampled_from(
    (r"re(fund)?\b", r"\d+", "inv.ice", r"^x", r"x$", r"\w+re$", r"fund\b", "(a+)+$", "[é-ü]", "日.?本")
)
rules = st.one_of(
    st.lists(phrases, min_size=1, max_size=3).map(lambda some: keyword(*some)),
    st.lists(patterns, min_size=1, max_size=2).map(lambda some: pattern(*some)),
)


@hypothesis.settings(max_examples=examples(200), deadline=None)
@hypothesis.given(st.lists(rules, max_size=6), st.lists(texts, min_size=1, max_size=4))
def test_the_first_rule_that_fits_wins(some: list[Rule], asked: list[str]) -> None:
    table = Table.compile(some)
    for text in asked:
        assert table.first(text) == plainly_first(some, text), text
    again = Table.load(table.dump())
    assert [again.first(text) for text in asked] == [table.first(text) for text in asked]


@pytest.mark.parametrize(
    ("wanted", "text", "is_found"),
    [
        ("straße", "Wo ist die STRASSE?", True),
        ("σας", "ΣΑΣ ΕΥΧΑΡΙΣΤΩ", True),
        ("élan", "E\u0301LAN vital", True),
        ("élan", "elan", False),
        ("élan", "élans", False),
        ("refund", "“Refund”—now", True),
        ("refund", "prerefund", False),
        ("refund", "refund_id", False),
        ("reset my password", "Reset  my\n password!", True),
        ("can't log in", "I can’t log in", True),
        ("退款", "我要退款吗", True),
        ("iphone", "我的iPhone坏了", True),
        ("कर", "कर्म", False),
        ("कर्म", "वह कर्म है", True),
        ("c++", "I write C++.", True),
        ("5€", "it was 5 € each", True),
        ("🚀", "to the moon🚀!", True),
        ("§ 5", "siehe §5, bitte", True),
        ("§ 5", "siehe 5", False),
        ("e-mail", "an E‑Mail", True),
        ("refund", "\udc80 refund", True),
        ("refund", "", False),
    ],
)
def test_keywords_are_whole_words_in_any_case(wanted: str, text: str, is_found: bool) -> None:
    assert (Table.compile([keyword(wanted)]).first(text) == 0) is is_found


def test_every_end_of_a_text_is_found_however_many_patterns_run() -> None:
    """Hyperscan alone finds the first one of these only without the second."""
    table = Table.compile([pattern(r"re(fund)?\b"), pattern("x$"), pattern("^late")])
    assert table.first("InvoiceInvoiceInvoicere") == 0
    assert table.first("one\nbox\ntwo") == 1
    assert table.first("one\nlate") == 2


def test_only_the_end_of_a_long_text_is_looked_at() -> None:
    table = Table.compile([keyword("refund")])
    assert table.first("refund " + "x" * (LONGEST_TEXT - 6)) is None
    assert table.first("x" * LONGEST_TEXT + " refund") == 0


def test_a_damaged_table_is_told() -> None:
    for damaged in (b"", b"x", Table.compile([keyword("refund")]).dump()[:-200]):
        with pytest.raises(Unreadable):
            Table.load(damaged)


def test_rules_come_before_a_guess_and_a_guess_below_the_floor_is_not_taken() -> None:
    some = [keyword("refund", target="billing"), keyword("court", target="legal")]
    router = Router(rules=some, table=Table.compile(some), default="desk", floor=0.7)
    assert router.by_rule(["And the second one?", "A refund, in court"]) == Decision(
        target="billing", by="rule", rule=0
    )
    assert router.by_rule(["court", "refund"]) == Decision(target="legal", by="rule", rule=1)
    assert router.by_rule(["hello"]) is None
    sure, unsure = Guess(target="legal", confidence=0.7), Guess(target="legal", confidence=0.69)
    assert router.by_guess(sure) == Decision(target="legal", by="classifier", confidence=0.7)
    assert router.by_guess(unsure) == Decision(target="desk", by="default", confidence=0.69)
    assert router.by_guess(None) == Decision(target="desk", by="default")
    assert Router(rules=(), table=Table.compile([])).by_guess(None).target is None
