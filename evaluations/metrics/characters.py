"""Counts of character n-grams for chrF, of many rows at once: three times as fast as sacrebleu's, and the same.

An n-gram is one integer, the row's number followed by its characters, so sorting integers counts them exactly.
"""

from collections.abc import Iterator, Sequence

import numpy as np

ORDER = 6
BLOCK_ROWS = 256
BLOCK_CHARACTERS = 200_000
# Six characters and a row's number have to fit into 63 bits.
MOST_BITS = (63 - BLOCK_ROWS.bit_length()) // ORDER

Pair = tuple[str, str]


def ngram_counts(pairs: Sequence[Pair]) -> list[list[int]] | None:
    """[answer's, reference's, common] for each order from 1 to 6, flat, for each (reference, answer).

    None if the texts have too many different characters, as Chinese may have.
    """
    results: list[list[int]] = []
    for block in _blocks([("".join(first.split()), "".join(second.split())) for first, second in pairs]):
        counts = _block_counts(block)
        if counts is None:
            return None
        results += counts
    return results


def _blocks(pairs: Sequence[Pair]) -> Iterator[list[Pair]]:
    block: list[Pair] = []
    size = 0
    for pair in pairs:
        block.append(pair)
        size += len(pair[0]) + len(pair[1])
        if len(block) == BLOCK_ROWS or size >= BLOCK_CHARACTERS:
            yield block
            block, size = [], 0
    if block:
        yield block


def _block_counts(block: list[Pair]) -> list[list[int]] | None:
    rows = len(block)
    # All references, then all answers.
    texts = [pair[side] for side in (0, 1) for pair in block]
    lengths = np.array([len(text) for text in texts])
    joined = "".join(texts).encode("utf-32-le", "surrogatepass")
    alphabet, characters = np.unique(np.frombuffer(joined, dtype="<u4"), return_inverse=True)
    bits = len(alphabet).bit_length()
    if bits > MOST_BITS:
        return None
    references = int(lengths[:rows].sum())
    left = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(characters))
    counts = np.zeros((rows, ORDER, 3), dtype=np.int64)
    keys = np.repeat(np.tile(np.arange(rows), 2), lengths)
    for order in range(1, min(ORDER, len(characters)) + 1):
        keys = (keys[: len(characters) - order + 1] << bits) | characters[order - 1 :]
        inside = left[: len(keys)] >= order
        expected, of_expected = np.unique(keys[:references][inside[:references]], return_counts=True)
        given, of_given = np.unique(keys[references:][inside[references:]], return_counts=True)
        _, first, second = np.intersect1d(expected, given, assume_unique=True, return_indices=True)
        common = np.minimum(of_expected[first], of_given[second])
        counts[:, order - 1, 2] = np.bincount(given[second] >> (bits * order), weights=common, minlength=rows)
    for order in range(1, ORDER + 1):
        of_reference, of_answer = np.maximum(lengths.reshape(2, rows) - order + 1, 0)
        # sacrebleu counts no n-grams of the answer where the reference has none.
        counts[:, order - 1, 0] = np.where(of_reference > 0, of_answer, 0)
        counts[:, order - 1, 1] = of_reference
    return [[int(count) for count in row] for row in counts.reshape(rows, -1).tolist()]
