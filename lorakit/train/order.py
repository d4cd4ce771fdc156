"""The order in which a training reads its examples: shuffled, with those of like length side by side.

A batch is as wide as its longest example, and padding costs as much as text. Shuffled alone, a tenth to a half of what
is computed would be padding; in this order it is a few hundredths.
"""

from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import Sampler

from lorakit.train.examples import Example

POOL = 50
"""The most steps whose examples are sorted together, so that a long dataset stays well shuffled."""
POOLS = 4
"""A short dataset is sorted in about as many pools, so that its examples meet others in each epoch."""


class OrderByLength(Sampler[int]):
    """Positions of examples: shuffled, sorted by length within pools of steps, and the steps of a pool shuffled again.

    The order depends only on the seed and the epoch: every process of a training has the same, and one that is resumed
    goes on in it. `step` is the number of examples that one step reads, over all processes and accumulated batches.
    """

    def __init__(self, examples: Sequence[Example], *, step: int, seed: int) -> None:
        self._lengths = [len(example.input_ids) for example in examples]
        self._step = step
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the Trainer before each epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        chance = torch.Generator().manual_seed(self._seed + self._epoch)
        positions = torch.randperm(len(self), generator=chance).tolist()
        size = self._step * max(1, min(POOL, len(self) // (self._step * POOLS)))
        for start in range(0, len(self), size):
            pool = sorted(positions[start : start + size], key=self._lengths.__getitem__)
            steps = [pool[first : first + self._step] for first in range(0, len(pool), self._step)]
            # Only the last step of all may be short, or the batches behind it would be cut from two steps.
            last = [steps.pop()] if len(steps[-1]) < self._step else []
            for number in torch.randperm(len(steps), generator=chance).tolist():
                yield from steps[number]
            for short in last:
                yield from short
