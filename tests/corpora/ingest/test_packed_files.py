"""A packed file is checked like the file inside it, and never unpacked beyond its bound."""

import bz2
import gzip
import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from backports import zstd

from corpora.ingest.formats import packing
from tests.corpora.conftest import pairs
from tests.corpora.corpus import writing
from tests.corpora.ingest.checking import check


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def zip_one(content: bytes) -> bytes:
    return zipped(("rows", content))


def zip_beside_rubbish(content: bytes) -> bytes:
    """As macOS packs a folder."""
    beside = (("data/", b""), ("data/.DS_Store", b"x"), ("__MACOSX/data/._rows.csv", b"x"))
    return zipped(*beside, ("data/rows.csv", content), method=zipfile.ZIP_BZIP2)


def zip_unsized(content: bytes) -> bytes:
    """As it is written to a stream, sizes behind the content."""

    class Stream(io.BytesIO):
        def seekable(self) -> bool:
            return False

    buffer = Stream()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("rows", "w", force_zip64=True) as f,
    ):
        f.write(content)
    return buffer.getvalue()


def zstd_behind_a_frame_to_skip(content: bytes) -> bytes:
    return b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + zstd.compress(content[:50]) + zstd.compress(content[50:])


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstd.compress,
    "zstd, several frames": zstd_behind_a_frame_to_skip,
    "bzip2": bz2.compress,
    "zip": zip_one,
    "zip, with a folder": zip_beside_rubbish,
    "zip, of a stream": zip_unsized,
}


@pytest.mark.parametrize("file_format", writing.FORMATS)
@pytest.mark.parametrize("packer", PACKERS)
def test_it_gives_the_same_rows_as_unpacked(packer: str, file_format: str, tmp_path: Path) -> None:
    content = writing.write(writing.rows(Random(3), "prompt", 12), file_format)
    plain = check(content, tmp_path / "plain")
    packed = check(PACKERS[packer](content), tmp_path / "packed")
    assert plain.report.accepted
    assert packed.report.packing == packer.partition(",")[0]
    assert packed.report.file_format == plain.report.file_format
    assert (packed.rows, packed.train, packed.test) == (plain.rows, plain.train, plain.test)


@pytest.mark.parametrize("packer", PACKERS)
def test_a_bomb_is_refused_at_its_bound(packer: str, tmp_path: Path) -> None:
    bomb = PACKERS[packer](b'{"prompt": "' + b"a" * 20_000_000)
    assert len(bomb) < 50_000
    outcome = check(bomb, tmp_path / "bomb", max_unpacked_bytes=1_000_000)
    assert outcome.first == (0, "", "dataset:too_large")
    assert check(bomb, tmp_path / "full", room_bytes=500_000).first == (0, "", "dataset:quota_exceeded")


def test_a_zip_archive_that_lies_about_its_sizes_is_not_believed(tmp_path: Path) -> None:
    for claimed in (5, 0, 2**31):
        lying = bytearray(zip_one(b"\n" * 3_000_000))
        at = lying.index(b"PK\x01\x02")
        lying[22:26] = lying[at + 24 : at + 28] = struct.pack("<I", claimed)
        outcome = check(bytes(lying), tmp_path / str(claimed), max_unpacked_bytes=1_000_000)
        assert outcome.report.problems[0].code in {"dataset:broken_archive", "dataset:too_large"}


GOOD = pairs(3)
REFUSED: dict[str, tuple[bytes, str]] = {
    "several files": (zipped(("train.jsonl", GOOD), ("test.jsonl", GOOD)), "2 files: train.jsonl, test.jsonl"),
    "no file": (zipped(("folder/", b"")), "no file"),
    "nothing": (zipped(), "no file"),
    "a workbook": (zipped(("[Content_Types].xml", b"x"), ("xl/workbook.xml", b"x")), "Excel workbook"),
    "a workbook that names its types last": (
        zipped(("docProps/app.xml", b"x" * 2_000), ("xl/workbook.xml", b"x"), method=zipfile.ZIP_STORED),
        "Excel workbook",
    ),
    "another method": (zipped(("rows.jsonl", GOOD), method=zipfile.ZIP_LZMA), "method"),
    "gzip in zip": (zip_one(gzip.compress(GOOD)), "gzip file inside another"),
    "zip in gzip": (gzip.compress(zip_one(GOOD)), "zip archive"),
    "zstd in zstd": (zstd.compress(zstd.compress(GOOD)), "zstd file inside another"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_archive_that_is_not_one_file_is_refused_by_name(name: str, tmp_path: Path) -> None:
    content, words = REFUSED[name]
    outcome = check(content, tmp_path / "run")
    assert outcome.first == (0, "", "dataset:not_a_dataset")
    assert words in outcome.report.problems[0].text


def test_an_archive_with_a_password_is_refused(tmp_path: Path) -> None:
    content = bytearray(zip_one(GOOD))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    problem = check(bytes(content), tmp_path / "run").report.problems[0]
    assert problem.code == "dataset:not_a_dataset"
    assert "password" in problem.text


def test_an_archive_of_endless_names_is_not_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "DIRECTORY_BYTES", 70_000)
    content = zipped(*((f"file {number}", b"") for number in range(2_000)))
    assert check(content, tmp_path / "run").first == (0, "", "dataset:broken_archive")


@pytest.mark.parametrize("packer", PACKERS)
def test_a_damaged_archive_is_refused_or_read_and_leaves_nothing(packer: str, tmp_path: Path) -> None:
    """Bits flipped, ends cut off, parts doubled: a typed refusal or rows, within the bounds."""
    rng = Random(packer)
    whole = PACKERS[packer](writing.jsonl(writing.rows(rng, "prompt", 40)))
    codes: dict[Any, int] = {}
    for number in range(60):
        content = bytearray(whole)
        if number % 3 == 0:
            content = content[: rng.randrange(4, len(content))]
        elif number % 3 == 1:
            for _ in range(rng.randint(1, 4)):
                content[rng.randrange(4, len(content))] ^= 1 << rng.randrange(8)
        else:
            start = rng.randrange(4, len(content))
            content[start:start] = content[rng.randrange(4, len(content)) :]
        report = check(bytes(content), tmp_path / str(number), max_unpacked_bytes=1_000_000).report
        assert all(problem.text for problem in report.problems)
        code = report.problems[0].code if report.problems else ""
        codes[code] = codes.get(code, 0) + 1
    assert codes.get("dataset:broken_archive", 0) > 15, codes
