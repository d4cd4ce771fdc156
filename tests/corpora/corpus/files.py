"""The corpus: 300 bad files of 30 classes and 200 good files of 20 kinds, deterministic."""

from collections.abc import Iterator
from random import Random

from tests.corpora.corpus import bad_rows, bad_wholes, good_files
from tests.corpora.corpus.cases import BadFile, GoodFile

VARIANTS = 10
BAD_CLASSES = bad_rows.CLASSES | bad_wholes.CLASSES


def bad_file(name: str, variant: int) -> BadFile:
    """One variant of a class of `BAD_CLASSES`."""
    return BAD_CLASSES[name](Random(f"{name} {variant}"), variant)


def all_bad_files() -> Iterator[tuple[str, BadFile]]:
    """(name, file) of each."""
    for name in BAD_CLASSES:
        for variant in range(VARIANTS):
            yield f"{name}, {variant}", bad_file(name, variant)


def all_good_files() -> Iterator[tuple[str, GoodFile]]:
    """(name, file) of each."""
    for name, make in good_files.KINDS.items():
        for variant in range(VARIANTS):
            yield f"{name}, {variant}", make(Random(f"{name} {variant}"), variant)
