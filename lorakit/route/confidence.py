"""How sure a guess is: similarities to several targets as probabilities.

They become probabilities by a softmax whose temperature is fitted on prompts that were not learnt, so that of guesses
with confidence 0.8 about eight in ten are right.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lorakit.route.router import Guess

Similarities = NDArray[np.float32]
"""(targets,): how much a text is like each of them."""

TEMPERATURES = tuple(2.0 ** (quarters / 4) for quarters in range(33))
USUAL_TEMPERATURE = 16.0
"""Where nothing is held out to fit it."""


def guess_of(targets: Sequence[str], similarities: Similarities, temperature: float) -> Guess:
    """The likeliest target."""
    probabilities = _softmax(similarities * temperature)
    best = int(np.argmax(probabilities))
    return Guess(target=targets[best], confidence=round(float(probabilities[best]), 4))


def fitted_temperature(held_out: Sequence[tuple[int, Similarities]]) -> float:
    """The temperature under which held-out prompts, each with its target's place, are likeliest."""
    if not held_out:
        return USUAL_TEMPERATURE
    table = np.stack([similarities for _, similarities in held_out])
    count, targets = table.shape
    # Some of a few prompts that all went right would not have: without this, nothing would be too sure.
    doubt = 1 / (count + 2)
    wanted = np.full(table.shape, doubt / max(1, targets - 1), np.float32)
    wanted[np.arange(count), [place for place, _ in held_out]] = 1 - doubt

    def loss(temperature: float) -> float:
        likelihoods: NDArray[np.float32] = np.log(np.maximum(_softmax(table * temperature), 1e-9))
        return -float((wanted * likelihoods).sum(axis=1).mean())

    best: float = min(TEMPERATURES, key=loss)
    return best


def _softmax(values: NDArray[np.float32]) -> NDArray[np.float32]:
    powers: NDArray[np.float32] = np.exp(values - values.max(axis=-1, keepdims=True))
    shares: NDArray[np.float32] = powers / powers.sum(axis=-1, keepdims=True)
    return shares
