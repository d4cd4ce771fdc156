"""The demo's English data: complete, without duplicates, and with held-out rows that are like no row of training."""

import json
import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from portal.demo.corpora import Corpus, written_rows
from tests.corpora.ingest.checking import check

CORPORA: tuple[Corpus, ...] = ("support", "law")
ALMOST = 0.5
"""Share of the words of two texts together that both have; the most alike have 0.36."""


def text_of(row: dict[str, Any]) -> str:
    """The customer's or the contract's own words."""
    return str(row["messages"][1]["content"])


def words(row: dict[str, Any]) -> set[str]:
    return set(re.findall(r"\w+", text_of(row).lower()))


@pytest.mark.parametrize(
    ("corpus", "labels", "each", "held_out"), [("support", 15, 30, 7), ("law", 12, 25, 7)], ids=["support", "law"]
)
def test_every_label_has_the_same_number_of_rows(corpus: Corpus, labels: int, each: int, held_out: int) -> None:
    rows = written_rows(corpus)
    assert Counter(Counter(row["label"] for row in rows).values()) == {each: labels}
    tested = Counter(row["label"] for row in rows if row["split"] == "test")
    assert Counter(tested.values()) == {held_out: labels}
    assert {row["split"] for row in rows} == {"train", "test"}


@pytest.mark.parametrize("corpus", CORPORA)
def test_the_products_own_check_finds_nothing(corpus: Corpus, tmp_path: Path) -> None:
    rows = written_rows(corpus)
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    outcome = check(content, tmp_path / "check", options={"near_leaks": "leave_out", "leaks": "leave_out"})
    assert outcome.findings == []
    assert outcome.report.warnings == ()
    assert (outcome.report.rows, len(outcome.test)) == (len(rows), sum(row["split"] == "test" for row in rows))


@pytest.mark.parametrize("corpus", CORPORA)
def test_the_products_own_check_would_find_a_leak(corpus: Corpus, tmp_path: Path) -> None:
    rows = written_rows(corpus)
    longest = max((row for row in rows if row["split"] == "train"), key=lambda row: len(text_of(row)))
    system, said, answer = longest["messages"]
    leaked = {**longest, "split": "test", "messages": [system, {**said, "content": f"{said['content']} Yes."}, answer]}
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in [*rows, leaked]).encode()
    codes = {finding["code"] for finding in check(content, tmp_path / "check").findings}
    assert "dataset:near_leak" in codes


@pytest.mark.parametrize("corpus", CORPORA)
def test_no_held_out_row_is_almost_a_training_row(corpus: Corpus) -> None:
    """Closer than the product's own check, which leaves texts of a few words alone."""
    rows = written_rows(corpus)
    train = [words(row) for row in rows if row["split"] == "train"]
    for row in rows:
        if row["split"] == "test":
            own = words(row)
            closest = max(len(own & other) / len(own | other) for other in train)
            assert closest < ALMOST, text_of(row)


@pytest.mark.parametrize("corpus", CORPORA)
def test_texts_are_different_and_clean(corpus: Corpus) -> None:
    texts = [text_of(row) for row in written_rows(corpus)]
    assert len({" ".join(re.findall(r"\w+", text.lower())) for text in texts}) == len(texts)
    for text in texts:
        assert text == text.strip()
        assert "  " not in text
        assert unicodedata.is_normalized("NFC", text)
        assert all(letter.isprintable() for letter in text), text
        assert set(re.findall(r"[^\x20-\x7e]", text)) <= set("£€é"), text


def test_a_clauses_party_and_term_are_in_its_own_words() -> None:
    for row in written_rows("law"):
        kind, party, term = row["messages"][2]["content"].split(" | ")
        assert kind == row["label"]
        assert term in text_of(row)
        assert party == "both" or party in text_of(row)
