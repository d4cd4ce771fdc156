"""Everything that can be checked about an evidence pack with nothing but the pack."""

import errno
import hashlib
import json
import math
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lorakit.gates.outcome import verdict
from lorakit.gates.policy import parsed
from lorakit.gates.reviewing import value_of
from lorakit.verify.archive import (
    CHUNK_BYTES,
    FORMAT,
    FORMAT_VERSION,
    MANIFEST,
    MAX_DOCUMENT_BYTES,
    SIGNATURE,
    read_lines,
    sha256_of,
    write_archive,
)
from lorakit.verify.libraries import libraries
from lorakit.verify.packed import case_from, item_of, row_of
from lorakit.verify.signing import is_signed

TOLERANCE = 1e-9
NEEDED = ("decision.json", "policy.json", "reviews.jsonl.gz", "rows.jsonl.gz", "verdict.json")


UNREADABLE = (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, zlib.error, struct.error)
"""What `zipfile` raises for damaged archives; an encrypted part is a RuntimeError."""


class NoPack(Exception):
    """The file is no evidence pack, or one of a later format."""


@dataclass
class Findings:
    """What was checked (`agreed`) and what does not hold (`problems`), in sentences."""

    title: str = ""
    key: str = ""
    state: str = ""
    agreed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def check_pack(path: Path, *, key: str = "") -> Findings:
    """Check hashes, layout, signature and statistics; `key` is the site's public key. Raises NoPack."""
    try:
        with _damage_told(), zipfile.ZipFile(path) as archive:
            return _check(archive, path, key)
    except UNREADABLE as error:
        raise NoPack(f"This is not a readable ZIP file: {error}.") from None


@contextmanager
def _damage_told() -> Iterator[None]:
    """A damaged offset makes `zipfile` look before the file's beginning; other errors of the system are not damage."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise zipfile.BadZipFile("an offset in it is wrong") from None


def _check(archive: zipfile.ZipFile, path: Path, key: str) -> Findings:
    found = Findings()
    manifest_bytes = _document(archive, MANIFEST)
    try:
        manifest = json.loads(manifest_bytes)
        parts: Mapping[str, Mapping[str, Any]] = manifest["parts"]
        is_known = manifest["format"] == FORMAT and manifest["version"] == FORMAT_VERSION
    except (ValueError, KeyError, TypeError):
        raise NoPack(f"{MANIFEST} cannot be read.") from None
    if not is_known:
        raise NoPack("This is not an evidence pack of a format that is known here.")
    found.key = str(manifest.get("key", ""))
    _check_signature(found, archive, manifest_bytes, key)
    _check_parts(found, archive, parts)
    _check_layout(found, archive, path)
    if all(name in archive.namelist() for name in NEEDED):
        _guarded(found, "The statistics", lambda: _check_statistics(found, archive, manifest))
    return found


def _document(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        with _damage_told(), archive.open(name) as file:
            data = file.read(MAX_DOCUMENT_BYTES + 1)
    except KeyError:
        raise NoPack(f"{name} is missing.") from None
    except UNREADABLE:
        # The checksum of the ZIP file itself is wrong; the hash says the same of a part, and better.
        raise NoPack(f"{name} was changed, or is damaged.") from None
    if len(data) > MAX_DOCUMENT_BYTES:
        raise NoPack(f"{name} is too large.")
    return data


def _check_signature(found: Findings, archive: zipfile.ZipFile, manifest: bytes, key: str) -> None:
    if key and key.strip() != found.key:
        found.problems.append("The pack is signed with another key than the one given.")
    try:
        signature = _document(archive, SIGNATURE).decode().strip()
    except (NoPack, UnicodeDecodeError):
        found.problems.append(f"{SIGNATURE} is missing or damaged.")
        return
    if is_signed(manifest, signature, found.key):
        found.agreed.append("The manifest is signed with this key: " + found.key)
    else:
        found.problems.append("The signature does not fit the manifest: one of the two was changed.")


def _check_parts(found: Findings, archive: zipfile.ZipFile, parts: Mapping[str, Mapping[str, Any]]) -> None:
    names = [name for name in archive.namelist() if name not in (MANIFEST, SIGNATURE)]
    found.problems += [f"{name} is missing." for name in sorted(parts.keys() - set(names))]
    found.problems += [f"{name} is not in the manifest." for name in sorted(set(names) - parts.keys())]
    unchanged = 0
    for name in sorted(parts.keys() & set(names)):
        try:
            with _damage_told(), archive.open(name) as file:
                same = sha256_of(file) == parts[name]["sha256"]
        except (*UNREADABLE, KeyError, TypeError):
            same = False
        if same:
            unchanged += 1
        else:
            found.problems.append(f"{name} was changed: its SHA-256 is not the one in the manifest.")
    found.agreed.append(f"{unchanged} of {len(parts)} parts have the SHA-256 that the manifest names")


def _check_layout(found: Findings, archive: zipfile.ZipFile, path: Path) -> None:
    """Written again from its parts, the archive has the same bytes: nothing is hidden between them."""
    names = archive.namelist()
    try:
        if len(set(names)) < len(names):
            raise ValueError
        with tempfile.TemporaryDirectory() as folder:
            copies = {name: Path(folder) / str(number) for number, name in enumerate(names)}
            for name, copy in copies.items():
                with _damage_told(), archive.open(name) as source, copy.open("wb") as target:
                    while chunk := source.read(CHUNK_BYTES):
                        target.write(chunk)
            again = Path(folder) / "again.zip"
            with again.open("wb") as file:
                write_archive(file, copies)
            with again.open("rb") as first, path.open("rb") as second:
                same = sha256_of(first) == sha256_of(second)
    except UNREADABLE:
        same = False
    if same:
        found.agreed.append("The archive holds nothing but its parts")
    else:
        found.problems.append("The archive itself was changed: written again from its parts, its bytes differ.")


def _guarded(found: Findings, what: str, check: Callable[[], None]) -> None:
    try:
        check()
    except Exception as error:
        found.problems.append(f"{what} cannot be computed from this pack ({type(error).__name__}).")


def _check_statistics(found: Findings, archive: zipfile.ZipFile, manifest: Mapping[str, Any]) -> None:
    decision, stored = (json.loads(_document(archive, name)) for name in ("decision.json", "verdict.json"))
    policy = parsed(json.loads(_document(archive, "policy.json")))
    found.title, found.state = str(decision["title"]), str(stored["state"])
    prompts: list[int] = []
    with _lines(archive, "rows.jsonl.gz") as lines:
        rows = []
        for line in lines:
            if line["messages"] and line["prompt_sha256"] != _prompt_sha256(line["messages"], line["tools"]):
                prompts.append(line["number"])
            rows.append(row_of(line))
    wrong: list[int] = []
    with _lines(archive, "reviews.jsonl.gz") as lines:
        items = []
        for line in lines:
            if line["state"] == "decided" and not _same(
                value_of([one for one in line["reviews"] if one["counts"]]), line["value"]
            ):
                wrong.append(line["position"])
            items.append(item_of(line))
    case = case_from(decision["case"], rows, items)
    found.problems += [f"Row {number}: the prompt does not have the hash beside it." for number in prompts[:5]]
    found.problems += [f"Item {place}: its reviews do not come to the verdict beside them." for place in wrong[:5]]
    if not prompts and not wrong:
        found.agreed.append(f"{len(rows):,} prompts have their hashes, {len(items):,} items their reviews’ verdicts")
    if case.sha256 == stored["evidence_sha256"]:
        found.agreed.append("The evidence has the SHA-256 that the verdict was computed from")
    else:
        found.problems.append("The evidence is not what the verdict was computed from: its SHA-256 differs.")
    outcomes = policy.check(case)
    same_libraries = libraries() == manifest.get("libraries")
    if not same_libraries:
        found.notes.append("Forecasts were not compared: other versions of Python or NumPy made them")
    if len(outcomes) != len(stored["outcomes"]):
        found.problems.append("The verdict does not have the policy’s conditions.")
    agreeing = 0
    for outcome, said in zip(outcomes, stored["outcomes"], strict=False):
        computed = outcome.to_dict()
        if not same_libraries:
            computed, said = _without_forecast(computed), _without_forecast(said)
        names = sorted(computed.keys() | said.keys())
        different = [name for name in names if not _same(computed.get(name), said.get(name))]
        if different:
            found.problems.append(f"{outcome.title}: computed again, {', '.join(different)} differs.")
        else:
            agreeing += 1
    found.agreed.append(f"{agreeing} of {len(stored['outcomes'])} conditions come to the same when computed again")
    if verdict(outcomes) != stored["state"]:
        found.problems.append(f"The verdict is “{verdict(outcomes)}” when computed again, not “{stored['state']}”.")


@contextmanager
def _lines(archive: zipfile.ZipFile, name: str) -> Iterator[Iterator[dict[str, Any]]]:
    with archive.open(name) as file:
        yield read_lines(file)


def _prompt_sha256(messages: Any, tools: Any) -> str:
    return hashlib.sha256(json.dumps([messages, tools], sort_keys=True).encode()).hexdigest()


def _without_forecast(outcome: Mapping[str, Any]) -> dict[str, Any]:
    """The sentence of what is left says what the forecast says."""
    return {name: value for name, value in outcome.items() if name not in ("outlook", "why")}


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[name]) for name, value in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)
