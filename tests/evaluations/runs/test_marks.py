"""Differences as the grid marks them."""

import pytest

from evaluations.metrics.changes import Change
from evaluations.runs.grid.marks import MOST_COMPARED, marked


def parts(reference: str, answer: str, most: int = 300) -> list[tuple[str, str]]:
    return [(part.kind, part.text) for part in marked(reference, answer, most=most).parts]


def test_words_that_differ_are_marked() -> None:
    assert parts("FORUM of Berlin", "SECRECY of Berlin") == [
        ("missing", "FORUM "),
        ("added", "SECRECY "),
        ("same", "of Berlin "),
    ]
    assert marked("a b", "a c").has_marks


@pytest.mark.parametrize(
    ("reference", "answer"), [("a b", "a b"), ("SHELF 3", "I do not know."), ("", "a"), ("第四", "第三")]
)
def test_nothing_is_marked_where_all_or_nothing_differs(reference: str, answer: str) -> None:
    assert parts(reference, answer) == [("same", answer)]
    assert not marked(reference, answer).has_marks


def test_an_empty_answer_has_no_parts() -> None:
    assert parts("a b", "") == []


def test_long_texts_are_cut_and_say_so() -> None:
    found = marked("one two three", "one two four", most=6)
    assert found.parts == [Change("same", "one tw")]
    assert found.is_cut
    assert not marked("one", "one", most=3).is_cut


def test_texts_that_take_long_to_compare_are_shown_as_they_are() -> None:
    long = "word " * MOST_COMPARED
    assert not marked(long, long + "more").has_marks


def test_marks_are_heard_too_and_texts_are_no_html() -> None:
    html = marked("<b> c", "<i> c").html
    assert html == (
        '<del><span class="visually-hidden">missing: </span>&lt;b&gt; '
        '<span class="visually-hidden"> (end)</span></del> '
        '<ins><span class="visually-hidden">added: </span>&lt;i&gt; '
        '<span class="visually-hidden"> (end)</span></ins> c '
    )
