"""Learns from what the adapters were trained on. Answers in a fraction of a millisecond, without any model."""

from typing import ClassVar

from lorakit.route.examples import Examples
from lorakit.route.router import Guess
from serving.routing.classifiers.base import LearningClassifier, Lesson, Prompts, Situation


class ExamplesClassifier(LearningClassifier):
    """The nearest centroid over n-grams, see `lorakit.route.examples`."""

    label = "Learn from training data"
    is_quick: ClassVar[bool] = True

    def guess(self, text: str, situation: Situation) -> Guess | None:
        learnt: Examples | None = situation.learnt
        return learnt.guess(text) if learnt is not None else None

    def learn(self, prompts: Prompts, held_out: Prompts) -> Lesson:
        data = Examples.learn(prompts, held_out).dump()
        kept = self.read(data)
        return Lesson(data=data, guesses={name: [kept.guess(text) for text in some] for name, some in held_out.items()})

    def read(self, data: bytes) -> Examples:
        return Examples.load(data)
