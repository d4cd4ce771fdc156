"""Differences by words, for the grid."""

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from evaluations.metrics.changes import Change, word_diff


def test_missing_words_come_before_added_ones() -> None:
    assert word_diff("The quick brown fox", "The slow brown fox jumps") == [
        Change("same", "The "),
        Change("missing", "quick "),
        Change("added", "slow "),
        Change("same", "brown fox "),
        Change("added", "jumps "),
    ]


def test_white_space_alone_is_no_difference() -> None:
    assert word_diff("one  two\n", "one two") == [Change("same", "one two ")]


def test_empty_texts() -> None:
    assert word_diff("", "") == []
    assert word_diff("", "new") == [Change("added", "new ")]
    assert word_diff("old", "") == [Change("missing", "old ")]


texts = st.text() | st.lists(st.sampled_from(["a", "b", "\n", "合同", "é "])).map(" ".join)


@given(texts, texts)
@settings(deadline=None)
def test_the_parts_are_the_texts_again(reference: str, answer: str) -> None:
    changes = word_diff(reference, answer)
    shown = "".join(part.text for part in changes if part.kind != "missing")
    assert shown.rstrip() == answer.rstrip()
    kept = "".join(part.text for part in changes if part.kind != "added")
    assert kept.split() == reference.split()


@given(texts)
@settings(deadline=None)
def test_a_text_does_not_differ_from_itself(text: str) -> None:
    assert all(part.kind == "same" for part in word_diff(text, text))


def test_very_long_texts_end() -> None:
    started = time.process_time()
    changes = word_diff("one two three " * 100_000, "two three four " * 100_000)
    assert time.process_time() - started < 30
    assert {change.kind for change in changes} == {"same", "missing", "added"}
