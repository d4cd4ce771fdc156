"""The classifier that learns from example prompts."""

import random

import pytest

from lorakit.route.examples import Examples

TOPICS = {
    "billing": ("invoice", "refund", "payment", "charge", "receipt", "tax"),
    "delivery": ("parcel", "courier", "tracking", "address", "doorstep", "customs"),
    "legal": ("contract", "clause", "liability", "court", "notice", "lease"),
}
SENTENCES = (
    "I have a question about the {} of last month, could you look at it?",
    "Please tell me what happened to my {}.",
    "Why is there a problem with the {} again, I wrote twice already",
    "{}: what do I have to do next?",
    "Is the {} for my brother done, or the {}?",
)


def prompts(seed: int, count: int, *, sure: float = 1.0) -> dict[str, list[str]]:
    """By topic; a share of 1 - `sure` is about another topic than its own."""
    draw = random.Random(seed)
    found: dict[str, list[str]] = {}
    for topic in TOPICS:
        found[topic] = []
        for _ in range(count):
            words = TOPICS[topic if draw.random() < sure else draw.choice(list(TOPICS))]
            found[topic].append(draw.choice(SENTENCES).format(draw.choice(words), draw.choice(words)))
    return found


def test_it_finds_the_topic_of_prompts_that_it_never_saw_and_forgets_nothing_in_storage() -> None:
    learnt = Examples.learn(prompts(1, 60), prompts(2, 30))
    again = Examples.load(learnt.dump())
    asked = [(topic, text) for topic, texts in prompts(3, 40).items() for text in texts]
    guesses = [again.guess(text) for _, text in asked]
    assert (
        sum(guess is not None and guess.target == topic for (topic, _), guess in zip(asked, guesses, strict=True)) > 110
    )
    assert [guess and guess.target for guess in map(learnt.guess, (text for _, text in asked))] == [
        guess and guess.target for guess in guesses
    ]


def test_confidence_is_about_the_share_that_is_right() -> None:
    learnt = Examples.learn(prompts(1, 200, sure=0.8), prompts(2, 100, sure=0.8))
    asked = [(topic, text) for topic, texts in prompts(3, 200, sure=0.8).items() for text in texts]
    guesses = [(topic, guess) for topic, text in asked if (guess := learnt.guess(text))]
    right = sum(guess.target == topic for topic, guess in guesses) / len(guesses)
    confidence = sum(guess.confidence for _, guess in guesses) / len(guesses)
    assert abs(confidence - right) < 0.1
    surer = Examples.learn(prompts(1, 200), prompts(2, 100))
    assert surer.temperature > learnt.temperature


def test_what_has_nothing_in_common_is_no_guess() -> None:
    learnt = Examples.learn({"a": ["refund"], "b": ["court"]})
    for text in ("", "...", "Ωμέγα", "\ud800"):
        assert learnt.guess(text) is None
    assert learnt.guess("A refund!") is not None


def test_a_target_without_prompts_is_refused() -> None:
    with pytest.raises(ValueError, match="no prompts for b"):
        Examples.learn({"a": ["x"], "b": ["  "]})


@pytest.mark.parametrize("data", [b"", b"x", b"\x80"])
def test_damaged_data(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Examples.load(data)
