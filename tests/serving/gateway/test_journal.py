"""Records that come together share a flush, and each waits for its own."""

import asyncio
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from lorakit.contracts import InvocationRecord
from serving.gateway.journal import Journal
from serving.gateway.ledger import Ledger
from tests.serving.gateway.test_ledger import RECORD

RECORDS = [replace(RECORD, request_id=f"req-{number}") for number in range(100)]


def written(folder: Path) -> list[str]:
    return [
        InvocationRecord.from_json(line).request_id
        for file in folder.iterdir()
        for line in file.read_bytes().splitlines()
        if line.endswith(b"}")
    ]


def test_records_that_come_during_a_flush_share_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushes = 0
    first, go = threading.Event(), threading.Event()
    fsync = os.fsync

    def slow(descriptor: int) -> None:
        nonlocal flushes
        flushes += 1
        first.set()
        assert go.wait(60)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", slow)

    async def run() -> None:
        journal = Journal(Ledger(tmp_path, writer="gateway"))
        leader = asyncio.create_task(journal.append(RECORDS[0]))
        await asyncio.to_thread(first.wait)
        others = [asyncio.create_task(journal.append(record)) for record in RECORDS[1:]]
        await asyncio.sleep(0)
        assert not leader.done()
        others[0].cancel()
        go.set()
        await asyncio.gather(leader, *others[1:])
        await journal.close()

    asyncio.run(run())
    assert flushes == 2
    assert written(tmp_path) == [record.request_id for record in RECORDS]


def test_a_disk_that_becomes_full_fails_those_that_are_not_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    size = len(RECORDS[0].to_json()) + 1

    async def run() -> list[BaseException | None]:
        journal = Journal(Ledger(tmp_path, writer="gateway"))
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", lambda descriptor, data: write(descriptor, data[: 3 * size + 10]))
            results = await asyncio.gather(*(journal.append(r) for r in RECORDS[:6]), return_exceptions=True)
        await journal.append(RECORDS[9])
        await journal.close()
        return results

    results = asyncio.run(run())
    assert [result is None for result in results] == [True] * 3 + [False] * 3
    assert written(tmp_path) == ["req-0", "req-1", "req-2", "req-9"]


def test_whatever_goes_wrong_reaches_who_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Ledger, records: object) -> int:
        raise ZeroDivisionError

    async def run() -> None:
        journal = Journal(Ledger(tmp_path, writer="gateway"))
        with monkeypatch.context() as patched:
            patched.setattr(Ledger, "append_all", broken)
            with pytest.raises(ZeroDivisionError):
                await journal.append(RECORD)
        await journal.append(RECORD)
        await journal.close()

    asyncio.run(run())
    assert written(tmp_path) == ["req-1"]
