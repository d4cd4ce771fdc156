"""What the training rows alone answer: the nearest row, the label most alike, and which rows are left out."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

from adapters.models import AdapterVersion
from evaluations.alternatives import training_rows as reading
from evaluations.alternatives.answering import EXAMPLES, answer_from
from evaluations.alternatives.training_rows import (
    TrainingRow,
    TrainingRows,
    content_of,
    question_of,
    rows_named,
    training_rows,
)
from evaluations.metrics.encoders import Encoder, Vectors, encoders
from tests.evaluations.alternatives.sample import conversation, held_out, training

VECTORS = {"moggy": (1.0, 0.1), "tomcat": (1.0, 0.0), "hound": (0.0, 1.0), "terrier": (0.2, 1.0), "spaniel": (0.1, 1.0)}


class Animals(Encoder):
    """Cats are near cats and dogs near dogs, though they have no letters in common."""

    model = "animals"
    options: ClassVar[dict[str, Any]] = {}

    def embed(self, texts: Sequence[str]) -> Vectors:
        return np.array([VECTORS[text] for text in texts])


def given(*pairs: tuple[str, str]) -> TrainingRows:
    rows = [
        TrainingRow(
            id=f"r{place}", messages=[{"role": "user", "content": question}], tools=[], question=question, answer=answer
        )
        for place, (question, answer) in enumerate(pairs)
    ]
    return TrainingRows(rows=rows, of=len(rows))


@pytest.fixture
def with_encoder(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "built", {})
    settings.ENCODERS = {"default": {"BACKEND": f"{__name__}.Animals", "OPTIONS": {}}}


def test_without_an_encoder_words_and_characters_decide() -> None:
    rows = given(("Where is the spoon?", "drawer"), ("Who baked the bread?", "Ann"), ("Where are the spoons?", "sink"))
    found = answer_from(rows, ["where is the SPOON", "bread baking"])
    assert found.likeness == "words and characters"
    assert found.looked_up.answers == ["drawer", "Ann"]
    assert found.nearest == [["r0", "r2", "r1"], ["r1", "r0", "r2"]]
    assert found.similarities[0] == 1.0
    assert 0 < found.similarities[1] < 1
    assert found.looked_up.seconds > 0
    assert found.classified is None, "three answers of three rows are no labels"


def test_with_an_encoder_meaning_decides(with_encoder: None) -> None:
    rows = given(("moggy", "cat"), ("hound", "dog"), ("terrier", "dog"), ("moggy", "cat"))
    found = answer_from(rows, ["tomcat", "spaniel"])
    assert found.likeness == "animals"
    assert found.looked_up.answers == ["cat", "dog"]
    assert found.similarities == pytest.approx([1 / 1.01**0.5, 1.02 / (1.04 * 1.01) ** 0.5], abs=1e-6)
    assert found.classified is not None
    assert found.classified.answers == ["cat", "dog"]


def test_of_equally_similar_rows_the_first_counts() -> None:
    rows = given(("same words", "first"), ("same words", "second"), ("other things", "third"))
    assert answer_from(rows, ["same words"]).nearest == [["r0", "r1", "r2"]]


@pytest.mark.parametrize(("text", "similarity"), [("same words", 1.0), ("SAME words", 1.0), ("", 0.0), ("xyz", 0.0)])
def test_the_same_words_are_wholly_alike_and_others_not_at_all(text: str, similarity: float) -> None:
    rows = given(("other things", "first"), ("same words", "second"))
    assert answer_from(rows, [text]).similarities == [similarity]


def test_at_most_eight_rows_are_examples() -> None:
    rows = given(*((f"question number {place}", "yes") for place in range(EXAMPLES + 4)))
    assert [len(ids) for ids in answer_from(rows, ["question number 3"]).nearest] == [8]


def test_labels_are_answered_as_they_are_mostly_written() -> None:
    rows = given(
        ("my card is lost", "Lost"),
        ("card lost", "lost"),
        ("a lost card", "Lost"),
        ("refund", "Refund"),
        ("my refund", "Refund"),
    )
    found = answer_from(rows, ["lost my card", "refund please"])
    assert found.classified is not None
    assert found.classified.answers == ["Lost", "Refund"]


def test_a_question_that_has_nothing_in_common_gets_the_most_frequent_label() -> None:
    rows = given(("alpha", "a"), ("beta", "b"), ("bravo", "b"), ("also", "a"), ("bandit", "b"))
    found = answer_from(rows, ["???"])
    assert found.classified is not None
    assert found.classified.answers == ["b"]


def test_questions_without_words_are_classified_too() -> None:
    found = answer_from(given(("?", "a"), ("!", "b"), ("", "b"), ("-", "b")), ["anything"])
    assert found.classified is not None
    assert found.classified.answers == ["b"]


def test_other_rows_are_identified_otherwise() -> None:
    rows = (("one", "a"), ("two", "b"))
    first, same = answer_from(given(*rows), ["x"]), answer_from(given(*rows), ["y"])
    assert first.sha256 == same.sha256 != answer_from(given(rows[0]), ["x"]).sha256


def test_the_newest_question_of_a_conversation_comes_first() -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Who are you?"},
        {"role": "assistant", "content": "A robot."},
        {"role": "user", "content": "And where?"},
    ]
    assert question_of(messages) == "And where?\nWho are you?"
    assert question_of(messages[:1]) == "Be brief."


def test_only_training_rows_are_searched(make_version: Callable[..., AdapterVersion], in_tenant: object) -> None:
    version = make_version(training=training(), held_out=held_out()).run.dataset_version
    found = training_rows(version)
    asked = {row["messages"][0]["content"] for row in held_out()}
    assert found.of == len(found.rows) == 9
    assert not asked & {row.question for row in found.rows}


def test_a_training_row_that_is_asked_is_left_out(
    make_version: Callable[..., AdapterVersion], in_tenant: object
) -> None:
    leaked, other = conversation("Same?", "yes", number=1), conversation("Same?", "no", number=2)
    version = make_version(training=[leaked, other], held_out=[leaked]).run.dataset_version
    found = training_rows(version, held_out={content_of(leaked["messages"][:-1], [], "yes")})
    assert [row.answer for row in found.rows] == ["no"], "another answer to the same question is no copy"
    assert (found.of, found.left_out) == (1, 1)
    assert list(found.copies.values()) == [leaked["id"]]


def test_answers_that_were_not_learnt_are_left_out(
    make_version: Callable[..., AdapterVersion], in_tenant: object
) -> None:
    muted, empty = conversation("Muted?", "no", number=1), conversation("Empty?", "", number=2)
    muted["messages"][-1]["weight"] = 0
    version = make_version(training=[muted, empty, conversation("Learnt?", "yes", number=3)]).run.dataset_version
    assert [row.question for row in training_rows(version).rows] == ["Learnt?"]


def test_of_many_rows_the_same_sample_is_searched(
    make_version: Callable[..., AdapterVersion], in_tenant: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_ROWS", 2)
    rows = [conversation(f"Question {number}?", "yes", number=number) for number in (5, 3, 4)]
    found = training_rows(make_version(training=rows).run.dataset_version)
    assert ([row.question for row in found.rows], found.of) == (["Question 3?", "Question 4?"], 3)


def test_rows_are_read_by_their_ids(make_version: Callable[..., AdapterVersion], in_tenant: object) -> None:
    version = make_version(training=training()).run.dataset_version
    wanted = f"{103:032x}"
    assert list(rows_named(version, {wanted, "unknown"})) == [wanted]
