"""METEOR gives nltk's published example, and fmeval's."""

from pathlib import Path
from typing import Any

import pytest

from evaluations.metrics.meteor import Meteor


def test_the_librarys_own_example() -> None:
    reference = "It is a guide to action that ensures that the military will forever heed Party commands"
    answer = "It is a guide to action which ensures that the military always obeys the commands of the party"
    assert Meteor("x", {}).score(reference, answer) == pytest.approx(0.6944, abs=5e-5)


def test_published_value_of_fmeval() -> None:
    """aws/fmeval, test_summarization_accuracy.py (Apache-2.0)."""
    metric = Meteor("x", {})
    assert metric.score("Berlin: an art metropolis.", "Berlin: Art, Heritage, Exhibitions Hub.") == pytest.approx(
        0.5009920635, abs=1e-10
    )


def test_without_wordnet_the_title_says_so() -> None:
    metric = Meteor("x", {})
    assert metric.title == "METEOR (no synonyms)"
    assert metric.version.endswith("without WordNet")


def test_with_wordnet_the_title_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "corpora" / "wordnet").mkdir(parents=True)
    metric = Meteor("x", {"WORDNET": str(tmp_path)})
    assert metric.title == "METEOR"
    assert metric.version.endswith("with WordNet")


def test_a_folder_without_wordnet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="corpora/wordnet"):
        Meteor("x", {"WORDNET": str(tmp_path)})


def test_synonyms_match() -> None:
    class Lemma:
        def name(self) -> str:
            return "auto"

    class Synset:
        def lemmas(self) -> list[Lemma]:
            return [Lemma()]

    class Synonyms:
        def synsets(self, word: str) -> list[Any]:
            return [Synset()] if word == "car" else []

    plain, with_synonyms = Meteor("x", {}), Meteor("x", {})
    with_synonyms.__dict__["_synonyms"] = Synonyms()
    rows = ("a red auto", "a red car")
    assert (plain.score(*rows) or 0) < (with_synonyms.score(*rows) or 0)
