"""Writes the evidence pack of a decision; the same decision in the same state gives the same bytes."""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from evaluations.gates.evidence import case_of, roles_of
from evaluations.gates.packs.documents import README, artefacts_of, decision_document, rubric_of
from evaluations.gates.packs.rows import packed_rows
from evaluations.gates.reviewed import packed_items
from evaluations.gates.verdicts import computed
from evaluations.models import Decision
from lorakit.verify.archive import (
    FORMAT,
    FORMAT_VERSION,
    MANIFEST,
    SIGNATURE,
    canonical,
    sha256_of,
    write_archive,
    write_lines,
)
from lorakit.verify.libraries import libraries
from lorakit.verify.signing import public_text, signature_text
from tenants.signing import signing_key


def write_pack(decision: Decision, target: IO[bytes]) -> None:
    """Write the pack; memory holds the numbers of all rows, and the texts of a few."""
    case = case_of(decision)
    verdict = decision.verdict or computed(decision, case).to_dict()
    documents: dict[str, Any] = {
        "artefacts.json": artefacts_of(decision),
        "decision.json": decision_document(decision, case),
        "policy.json": decision.document,
        "rubric.json": rubric_of(decision),
        "verdict.json": {name: verdict[name] for name in ("state", "outcomes", "evidence_sha256")},
    }
    with tempfile.TemporaryDirectory(prefix="evidence-") as name:
        folder = Path(name)
        (folder / "README.txt").write_text(README, encoding="utf-8")
        for part, value in documents.items():
            (folder / part).write_bytes(canonical(value))
        write_lines(folder / "rows.jsonl.gz", packed_rows(decision))
        write_lines(folder / "reviews.jsonl.gz", packed_items(decision, roles_of(decision)))
        parts = {path.name: path for path in folder.iterdir()}
        _sign(folder, decision, parts, verdict)
        parts |= {part: folder / part for part in (MANIFEST, SIGNATURE)}
        write_archive(target, parts)


def _sign(folder: Path, decision: Decision, parts: Mapping[str, Path], verdict: Mapping[str, Any]) -> None:
    key = signing_key()
    manifest = canonical(
        {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "decision": str(decision.id),
            "key": public_text(key),
            "libraries": verdict.get("versions") or libraries(),
            "parts": dict(_hashes(parts)),
        }
    )
    (folder / MANIFEST).write_bytes(manifest)
    (folder / SIGNATURE).write_text(signature_text(key, manifest) + "\n")


def _hashes(parts: Mapping[str, Path]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, path in sorted(parts.items()):
        with path.open("rb") as file:
            yield name, {"sha256": sha256_of(file), "bytes": path.stat().st_size}


def pack_name(decision: Decision) -> str:
    """The file's name for people: adapter, version and the beginning of the decision's hash."""
    digest = hashlib.sha256(decision.id.bytes).hexdigest()[:8]
    return f"decision-{decision.version.adapter.name}-v{decision.version.number}-{digest}.zip"
