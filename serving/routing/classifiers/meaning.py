"""Learns from what the adapters were trained on, by meaning: with the vectors of the site's encoder."""

from typing import Any, ClassVar

import numpy as np
import structlog

from evaluations.judges.backends.errors import JudgeError
from evaluations.judges.calling import Breaker
from evaluations.metrics.encoders import Encoder, EncoderError, Vectors, encoders
from lorakit.route.meanings import Meanings
from lorakit.route.router import Guess
from serving.routing.classifiers.base import CannotLearn, LearningClassifier, Lesson, Prompts, Situation
from serving.routing.document import RouterDocument

log = structlog.get_logger(__name__)

FAILURES, PAUSE_SECONDS = 3, 10.0
"""After so many failures in a row the encoder is not asked for a while, so that callers don't wait for it in vain."""

NONE = "This site has no encoder. Choose another classifier."


class MeaningClassifier(LearningClassifier):
    """The nearest centroid among an encoder's vectors, see `lorakit.route.meanings`.

    `ENCODER` is its alias. A request waits `TIMEOUT_SECONDS` for it at most; then there is no guess.
    """

    label = "Learn from training data, by meaning"
    options: ClassVar[dict[str, Any]] = {"ENCODER": "default", "TIMEOUT_SECONDS": 2.0}
    # An encoder reads some 100 short texts a second on one core.
    most_learnt: ClassVar[int] = 60

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        super().__init__(alias, options)
        self._breaker = Breaker(failures=FAILURES, seconds=PAUSE_SECONDS)
        self._hurried: tuple[Encoder, Encoder] | None = None

    @property
    def learns_with(self) -> str:
        encoder = self._encoder()
        return encoder.model if encoder else ""

    def refusal(self, document: RouterDocument) -> str:
        return "" if self._encoder() else NONE

    def guess(self, text: str, situation: Situation) -> Guess | None:
        learnt: Meanings | None = situation.learnt
        encoder = self._encoder()
        if learnt is None or encoder is None or encoder.model != learnt.model:
            return None
        try:
            self._breaker.check()
            [vector] = self._in_a_hurry(encoder).embed([text])
        except JudgeError:
            return None
        except EncoderError as error:
            self._breaker.failed()
            log.info("route_not_classified", router=str(situation.router_id), reason=error.text)
            return None
        self._breaker.succeeded()
        return learnt.guess(vector)

    def learn(self, prompts: Prompts, held_out: Prompts) -> Lesson:
        encoder = self._encoder()
        if encoder is None:
            raise CannotLearn(NONE)
        try:
            learnt, tested = _vectors(encoder, prompts), _vectors(encoder, held_out)
            data = Meanings.learn(encoder.model, learnt, tested).dump()
        except EncoderError as error:
            raise CannotLearn(error.text) from None
        except ValueError as error:
            raise CannotLearn(f"The encoder sees {error}.") from None
        self._breaker.succeeded()
        kept = self.read(data)
        return Lesson(
            data=data, guesses={name: [kept.guess(vector) for vector in some] for name, some in tested.items()}
        )

    def read(self, data: bytes) -> Meanings:
        return Meanings.load(data)

    def _encoder(self) -> Encoder | None:
        return encoders.get(self.settings["ENCODER"])

    def _in_a_hurry(self, encoder: Encoder) -> Encoder:
        """The same encoder with a request's patience, made once."""
        if "SECONDS" not in encoder.settings:
            return encoder
        if self._hurried is None or self._hurried[0] is not encoder:
            patience = {"SECONDS": self.settings["TIMEOUT_SECONDS"]}
            self._hurried = encoder, type(encoder)(encoder.alias, {**encoder.settings, **patience})
        return self._hurried[1]


def _vectors(encoder: Encoder, prompts: Prompts) -> dict[str, Vectors]:
    """Of all prompts, in as few calls as it takes."""
    every = encoder.embed([text for texts in prompts.values() for text in texts])
    ends = np.cumsum([len(texts) for texts in prompts.values()])
    return dict(zip(prompts, np.split(every, ends[:-1]), strict=True))
