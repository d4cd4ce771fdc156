"""BLEU and chrF give sacrebleu's published values, and whatever sacrebleu gives."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from evaluations.metrics import characters
from evaluations.metrics.base import Answers
from evaluations.metrics.characters import ngram_counts
from evaluations.metrics.ngrams import Bleu, Chrf

# sacrebleu's README: BLEU 48.53 and chrF2 59.73 with both references.
ANSWERS = ["The dog bit the man.", "It wasn't surprising.", "The man had just bitten him."]
FIRST = ["The dog bit the man.", "It was not unexpected.", "The man bit him first."]
SECOND = ["The dog had bit the man.", "No one was surprised.", "The man had bitten the dog."]

texts = st.one_of(
    st.text(st.characters()),
    st.lists(st.sampled_from(["a", "cat", "cats", "sat", "&amp;", "3.5", "-\n", "...", "Straße", "合同"])).map(
        " ".join
    ),
)
pairs = st.lists(st.tuples(texts, texts), min_size=1, max_size=8)


def answers_of(rows: list[tuple[str, str]]) -> Answers:
    return Answers([first for first, _ in rows], [second for _, second in rows])


def test_the_library_gives_the_published_values_of_its_readme() -> None:
    assert BLEU().corpus_score(ANSWERS, [FIRST, SECOND]).score == pytest.approx(48.53, abs=5e-3)
    assert CHRF().corpus_score(ANSWERS, [FIRST, SECOND]).score == pytest.approx(59.73, abs=5e-3)


def test_values_with_the_readmes_first_reference() -> None:
    answers = Answers(FIRST, ANSWERS)
    assert Bleu("x", {}).value(answers) == pytest.approx(0.4506750632106114, abs=1e-12)
    assert Chrf("x", {}).value(answers) == pytest.approx(0.50043063606582294, abs=1e-12)


@given(pairs)
@settings(deadline=None)
def test_sacrebleu_gives_the_same(rows: list[tuple[str, str]]) -> None:
    answers = answers_of(rows)
    sentence = BLEU(effective_order=True)
    for ours, theirs in ((Bleu("x", {}), sentence), (Chrf("x", {}), CHRF())):
        for score, row in zip(ours.scores(answers), rows, strict=True):
            expected = theirs.sentence_score(row[1], [row[0]]).score / 100
            assert score == (pytest.approx(expected, abs=1e-12) if row[0].strip() else None)
    if any(reference.strip() for reference in answers.references):
        references = [list(answers.references)]
        assert Bleu("x", {}).value(answers) == pytest.approx(
            BLEU().corpus_score(list(answers.texts), references).score / 100, abs=1e-12
        )
        assert Chrf("x", {}).value(answers) == pytest.approx(
            CHRF().corpus_score(list(answers.texts), references).score / 100, abs=1e-12
        )


@given(pairs)
@settings(deadline=None)
def test_counts_of_characters_are_the_same_in_blocks_of_any_size(rows: list[tuple[str, str]]) -> None:
    whole = ngram_counts(rows)
    assert whole == [(ngram_counts([row]) or [[]])[0] for row in rows]
    chrf = CHRF()
    assert whole == [chrf._extract_corpus_statistics([answer], [[reference]])[0] for reference, answer in rows]


def test_too_many_different_characters_are_counted_by_sacrebleu() -> None:
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 2000)))
    assert ngram_counts([(text, text)]) is None
    assert Chrf("x", {}).score(text, text) == 1
    assert Chrf("x", {}).score(text, text[:1000]) == pytest.approx(
        CHRF().sentence_score(text[:1000], [text]).score / 100, abs=1e-12
    )


def test_many_rows_are_counted_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(f"row {n} of many", f"row {n + 1}") for n in range(700)]
    whole = ngram_counts(rows)
    monkeypatch.setattr(characters, "BLOCK_CHARACTERS", 40)
    assert ngram_counts(rows) == whole


def test_an_empty_reference_has_no_score() -> None:
    for metric in (Bleu("x", {}), Chrf("x", {})):
        assert metric.score(" \n", "text") is None
        assert metric.value(Answers([""], ["text"])) is None
        assert metric.value(Answers(["", "text"], ["", "text"])) is not None
