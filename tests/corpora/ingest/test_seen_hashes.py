"""The set of hashes is exact at every size, also where it has moved to a file, and leaves nothing behind."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpora.ingest import seen
from corpora.ingest.seen import UNSEEN, SeenHashes
from tests.examples import examples


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 1)), max_size=40), max_size=12))
def test_it_answers_as_a_dictionary_would(
    batches: list[list[tuple[int, int]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen, "SMALLEST", 8)
    monkeypatch.setattr(seen, "IN_MEMORY", 16)
    expected: dict[int, int] = {}
    with SeenHashes(tmp_path / "seen") as hashes:
        for batch in batches:
            # Multiples of four: neither zero nor distinguished by the bit that is not looked at.
            keys = np.array([4 * (value + 1) for value, _ in batch], dtype=np.uint64)
            answers = hashes.add(keys, np.array([flag for _, flag in batch], dtype=np.int8)).tolist()
            wanted = []
            for value, flag in batch:
                wanted.append(expected.get(value, UNSEEN))
                expected.setdefault(value, flag)
            assert answers == wanted
        known = np.array([4 * (value + 1) for value in range(70)], dtype=np.uint64)
        assert hashes.find(known).tolist() == [expected.get(value, UNSEEN) for value in range(70)]
    assert not list(tmp_path.iterdir())


def test_a_batch_larger_than_the_table_fits(tmp_path: Path) -> None:
    keys = np.random.default_rng(1).integers(4, 1 << 63, size=50_000, dtype=np.uint64) * np.uint64(2)
    with SeenHashes(tmp_path / "seen") as hashes:
        flags = np.zeros(len(keys), dtype=np.int8)
        assert (hashes.add(keys, flags) == UNSEEN).all()
        assert (hashes.add(keys, flags) == 0).all()
