"""The classifier that learns from vectors."""

import numpy as np
import pytest
from numpy.typing import NDArray

from lorakit.route.meanings import Meanings

AXES = {"billing": 0, "delivery": 1, "legal": 2}


def vectors(seed: int, count: int, *, noise: float = 0.5) -> dict[str, NDArray[np.float64]]:
    """By topic, around an axis each, of any length."""
    draw = np.random.default_rng(seed)
    return {
        topic: (np.eye(8)[axis] + draw.normal(0, noise, (count, 8))) * draw.uniform(0.1, 9, (count, 1))
        for topic, axis in AXES.items()
    }


def test_it_finds_the_topic_of_vectors_that_it_never_saw_and_forgets_nothing_in_storage() -> None:
    learnt = Meanings.learn("m", vectors(1, 60), vectors(2, 30))
    again = Meanings.load(learnt.dump())
    asked = [(topic, vector) for topic, some in vectors(3, 40, noise=0.3).items() for vector in some]
    guesses = [again.guess(vector) for _, vector in asked]
    right = sum(guess is not None and guess.target == topic for (topic, _), guess in zip(asked, guesses, strict=True))
    assert right > 110
    assert [guess and guess.target for guess in (learnt.guess(vector) for _, vector in asked)] == [
        guess and guess.target for guess in guesses
    ]
    assert (again.model, again.targets) == ("m", ("billing", "delivery", "legal"))


def test_confidence_is_about_the_share_that_is_right() -> None:
    learnt = Meanings.learn("m", vectors(1, 200), vectors(2, 100))
    guesses = [
        (topic, guess) for topic, some in vectors(3, 200).items() for one in some if (guess := learnt.guess(one))
    ]
    right = sum(guess.target == topic for topic, guess in guesses) / len(guesses)
    assert 0.5 < right < 0.95
    assert abs(sum(guess.confidence for _, guess in guesses) / len(guesses) - right) < 0.1


def test_length_counts_for_nothing() -> None:
    learnt = Meanings.learn("m", vectors(1, 20), {})
    [vector] = vectors(2, 1)["legal"]
    assert learnt.guess(vector) == learnt.guess(1000 * vector)


def test_an_empty_text_and_another_models_vector_are_no_guess() -> None:
    learnt = Meanings.learn("m", vectors(1, 5), {"legal": np.zeros((1, 8))})
    assert learnt.guess(np.zeros(8)) is None
    assert learnt.guess(np.ones(9)) is None
    assert learnt.guess(np.ones(8)) is not None


@pytest.mark.parametrize("nothing", [np.zeros((0, 8)), np.zeros((2, 8))])
def test_a_target_without_prompts_is_refused(nothing: NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="no prompts for spam"):
        Meanings.learn("m", {**vectors(1, 5), "spam": nothing}, {})


@pytest.mark.parametrize("data", [b"", b"x", b"\x80"])
def test_damaged_data(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Meanings.load(data)
