"""Each line is on disk before the answer ends, in a file that says whether more may come."""

import json
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from lorakit.contracts import InvocationRecord
from serving.gateway.ledger import Ledger, is_finished

RECORD = InvocationRecord(
    request_id="req-1", at=1.0, tenant_id="t", key_id="k", alias="legal", version_id=None, deployment=None,
    status=200, error_code="", prompt_tokens=1, completion_tokens=2, latency_ms=3.0, first_token_ms=None, busy_ms=1.0,
    streamed=False,
)  # fmt: skip


def test_lines_of_many_threads_stay_whole(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, writer="gateway")

    def write(number: int) -> None:
        for index in range(20):
            ledger.append(replace(RECORD, request_id=f"req-{number}-{index}"))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [file] = tmp_path.iterdir()
    assert len({json.loads(line)["request_id"] for line in file.read_text().splitlines()}) == 100
    assert file.stat().st_mode & 0o077 == 0


def test_a_file_is_finished_once_its_writer_has_closed_it(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, writer="gateway")
    ledger.append(RECORD)
    [file] = tmp_path.iterdir()
    assert not is_finished(file)
    ledger.close()
    assert is_finished(file)
    ledger.append(RECORD)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_new_process_begins_a_file_of_its_own(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, writer="web")
    ledger.append(RECORD)
    if (child := os.fork()) == 0:
        ledger.append(RECORD)
        os._exit(0)
    os.waitpid(child, 0)
    assert sorted(len(file.read_text().splitlines()) for file in tmp_path.iterdir()) == [1, 1]


def test_a_torn_line_does_not_spoil_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger(tmp_path, writer="gateway")
    write = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:10]))
        with pytest.raises(OSError, match="full"):
            ledger.append(RECORD)
    ledger.append(RECORD)
    [file] = tmp_path.iterdir()
    torn, whole = file.read_bytes().splitlines()
    assert len(torn) == 10
    assert InvocationRecord.from_json(whole) == RECORD
