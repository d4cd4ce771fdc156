"""A check and its readers together keep to 128 MB, whatever is in the file."""

import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
BYTES = 24 << 20
MOST_MB = 128.0


def the_first(rows: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for row in rows:
        size += len(row)
        yield row
        if size > BYTES:
            return


def short() -> Iterator[bytes]:
    """So many rows that their number is what counts."""
    return (b'{"prompt": "question %d", "completion": "%d"}\n' % (n, n) for n in range(1 << 30))


def personal() -> Iterator[bytes]:
    """Each has to be read in Python, and is a finding."""
    row = b'{"prompt": "Who is number %d of the list?", "completion": "Ask +49 30 6363%05d, and nobody else."}\n'
    return (row % (n, n) for n in range(1 << 30))


def alike() -> Iterator[bytes]:
    """Every prompt is almost every other one."""
    words = [f"word{n}" for n in range(300)]

    def rows() -> Iterator[bytes]:
        draw = Random(5)
        while True:
            for place in (5, 100, 200, 290):
                words[place] = f"slot{draw.randrange(20)}"
            yield json.dumps({"prompt": " ".join(words), "completion": "Yes."}).encode() + b"\n"

    return rows()


def long() -> Iterator[bytes]:
    """Of almost a megabyte each."""
    filling = b"lorem ipsum " * 80_000
    return (b'{"prompt": "%d", "completion": "%b"}\n' % (n, filling) for n in range(1 << 30))


def one_line() -> Iterator[bytes]:
    """JSON objects with commas between them, all on one line."""
    filling = b"lorem ipsum " * 60
    return (b'{"prompt": "question %d", "completion": "%b"}, ' % (n, filling) for n in range(1 << 30))


def western() -> Iterator[bytes]:
    """Text that is found not to be UTF-8 at the end of its first line."""
    filling = b"\xe9t\xe9 " * 200
    return (b'{"prompt": "question %d", "completion": "%b"}\n' % (n, filling) for n in range(1 << 30))


def table() -> Iterator[bytes]:
    """Cells with line breaks, read by the block."""
    yield b"id,text,label\n"
    filling = b"lorem ipsum\n" * 60
    yield from (b'%d,"question %d ""%b""",l%d\n' % (n, n, filling, n % 9) for n in range(1 << 30))


def parquet() -> Iterator[bytes]:
    """Conversations as record batches, which pyarrow needs memory for."""
    filling = "lorem ipsum " * 40
    chats = [
        [{"role": "user", "content": f"{n}"}, {"role": "assistant", "content": f"{n} {filling}"}] for n in range(50_000)
    ]
    buffer = io.BytesIO()
    pq.write_table(pa.table({"messages": chats}), buffer, compression="none", use_dictionary=False)
    yield buffer.getvalue()


@pytest.mark.parametrize("rows", [short, personal, alike, long, one_line, western, table, parquet])
def test_memory_is_bounded_whatever_the_rows(rows: Callable[[], Iterator[bytes]], tmp_path: Path) -> None:
    upload = tmp_path / "inputs" / "upload" / "upload"
    upload.parent.mkdir(parents=True)
    upload.write_bytes(b"".join(the_first(rows())))
    (tmp_path / "spec.json").write_text(json.dumps({"bytes": upload.stat().st_size, "schema": 1}))
    child = subprocess.Popen([sys.executable, "-m", "corpora.ingest", "--run-dir", tmp_path], cwd=ROOT)
    peak, most = 0.0, 0
    while child.poll() is None:
        memory = [proportional_mb(process) for process in family(child.pid)]
        peak, most = max(peak, sum(memory)), max(most, len(memory))
        time.sleep(0.02)
    assert child.returncode == 0
    assert json.loads((tmp_path / "result.json").read_text())["ok"]
    assert most > 1, "the file is large enough for readers of their own"
    assert 30 < peak < MOST_MB


def family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *map(int, children)]


def proportional_mb(pid: int) -> float:
    """Memory of a process, pages that several share counted once for all; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024 / 1e6
