"""Evidence packs: the same bytes each time, checked offline, and every tampering named."""

import gzip
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from django.core.cache import cache
from django.test import Client
from rest_framework.test import APIClient

from evaluations.gates.evidence import case_of
from evaluations.gates.packs.writing import write_pack
from evaluations.gates.policies import read_policy
from evaluations.gates.queries import decision_named
from evaluations.gates.services import approve, open_decision, override, set_policy
from evaluations.gates.verdicts import verdict_of
from evaluations.licences.services import assess_judging
from evaluations.models import Decision, EvaluationRun, Licence, LicenceState
from lorakit.verify.archive import MANIFEST, SIGNATURE, canonical, write_archive
from lorakit.verify.checking import Findings, check_pack
from lorakit.verify.packed import case_from, head_of, item_of, row_of
from lorakit.verify.signing import public_text
from tenants.models import Tenant, User
from tenants.signing import signing_key
from tests.evaluations.gates.rounds import grade_next, make_round
from tests.evaluations.licences.cases import judged

MakeEvaluation = Callable[..., EvaluationRun]
pytestmark = pytest.mark.django_db

POLICY = {
    "conditions": [
        {"kind": "metric", "metric": "exact_match", "against": "base"},
        {"kind": "experts", "verdict": "pass", "threshold": 0.7},
        {"kind": "severe_losses"},
        {"kind": "leakage"},
        {"kind": "approvals", "people": 1},
    ]
}
PARTS = (
    "README.txt",
    "artefacts.json",
    "decision.json",
    "policy.json",
    "reviews.jsonl.gz",
    "rows.jsonl.gz",
    "rubric.json",
    "verdict.json",
)


@pytest.fixture
def decision(in_tenant: Tenant, make_evaluation: MakeEvaluation, rita: User, bob: User) -> Decision:
    run = make_evaluation(in_tenant, rows=40)
    set_policy(tenant=in_tenant, adapter=run.version.adapter, policy=read_policy(POLICY), set_by=None)
    found = make_round(run, [rita])
    decision = open_decision(tenant=in_tenant, version=run.version, opened_by=bob)
    grade_next(found, rita, 5.0, count=9)
    approve(decision=decision, person=bob, comment="Read ten of them.")
    return decision_named(decision.id)


def packed(decision: Decision) -> bytes:
    file = io.BytesIO()
    write_pack(decision_named(decision.id), file)
    return file.getvalue()


@pytest.fixture
def pack(decision: Decision, tmp_path: Path) -> Path:
    path = tmp_path / "pack.zip"
    path.write_bytes(packed(decision))
    return path


def checked(path: Path) -> Findings:
    return check_pack(path, key=public_text(signing_key()))


def test_a_pack_is_the_same_each_time(decision: Decision) -> None:
    first = packed(decision)
    cache.clear()
    assert packed(decision) == first


def test_a_pack_of_a_closed_decision_stays_the_same(decision: Decision, alice: User, bob: User) -> None:
    override(decision=decision, reason="It is urgent.", closed_by=alice)
    first = packed(decision)
    bob.name = "Robert"
    bob.save()
    again = zipfile.ZipFile(io.BytesIO(packed(decision)))
    assert json.loads(again.read("decision.json"))["case"]["approved_by"] == ["Bob"]
    assert zipfile.ZipFile(io.BytesIO(first)).read("verdict.json") == again.read("verdict.json")


def test_what_comes_after_a_decision_is_closed_is_no_part_of_it(
    in_tenant: Tenant, make_evaluation: MakeEvaluation, alice: User, rita: User, tmp_path: Path
) -> None:
    run = make_evaluation(in_tenant, rows=40)
    licence = assess_judging(judging=judged(run, [4.0] * 40))
    decision = open_decision(tenant=in_tenant, version=run.version, opened_by=None)
    override(decision=decision, reason="It is urgent.", closed_by=alice)
    first = packed(decision)
    assert licence is not None
    Licence.objects.filter(pk=licence.pk).update(state=LicenceState.REFUSED, reason="It has changed.")
    judged(run, [1.0] * 40, fingerprint="cd" * 32)
    assert packed(decision) == first
    path = tmp_path / "closed.zip"
    path.write_bytes(first)
    assert checked(path).problems == []


def test_everything_holds_in_a_pack(decision: Decision, pack: Path) -> None:
    found = checked(pack)
    assert found.problems == []
    assert found.notes == []
    assert "5 of 5 conditions come to the same when computed again" in found.agreed
    assert found.state == verdict_of(decision).state == "undecided"


def test_the_case_in_a_pack_is_that_of_the_database(decision: Decision, pack: Path) -> None:
    with zipfile.ZipFile(pack) as archive:
        rows, items = (
            [json.loads(line) for line in gzip.decompress(archive.read(name)).splitlines()]
            for name in ("rows.jsonl.gz", "reviews.jsonl.gz")
        )
        head = json.loads(archive.read("decision.json"))["case"]
    case = case_of(decision)
    assert json.loads(json.dumps(head_of(case))) == head
    assert case_from(head, map(row_of, rows), map(item_of, items)).sha256 == case.sha256


def test_a_pack_names_experts_by_pseudonym_only(pack: Path) -> None:
    with zipfile.ZipFile(pack) as archive:
        reviews = gzip.decompress(archive.read("reviews.jsonl.gz")).decode()
        everything = "".join(
            (gzip.decompress(archive.read(name)) if name.endswith(".gz") else archive.read(name)).decode()
            for name in archive.namelist()
        )
    assert "expert-" in reviews
    assert "Rita" not in everything
    assert "rita@" not in everything
    assert '"person":"Bob"' in everything


def test_a_pack_is_verified_offline(pack: Path, tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[3])}
    run = subprocess.run(
        [sys.executable, "-m", "lorakit.verify", str(pack), "--key", public_text(signing_key())],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.endswith("Verified.\n")
    assert "django" not in run.stdout.lower()
    pack.write_bytes(pack.read_bytes().replace(b'"state":"undecided"', b'"state":"passing! "'))
    run = subprocess.run(
        [sys.executable, "-m", "lorakit.verify", str(pack)],
        capture_output=True, text=True, env=environment, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert run.returncode == 1
    assert "FAIL  verdict.json was changed" in run.stdout
    pack.write_bytes(b"no pack")
    run = subprocess.run(
        [sys.executable, "-m", "lorakit.verify", str(pack)],
        capture_output=True, text=True, env=environment, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert run.returncode == 2


def rewritten(pack: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The pack with other parts, laid out as packs are."""
    with zipfile.ZipFile(pack) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    folder = pack.parent / "parts"
    folder.mkdir()
    for name, content in parts.items():
        (folder / name).write_bytes(content)
    with pack.open("wb") as file:
        write_archive(file, {name: folder / name for name in parts})
    return pack


@pytest.mark.parametrize("name", PARTS)
def test_a_changed_part_is_named(pack: Path, name: str) -> None:
    def change(parts: dict[str, bytes]) -> None:
        content = bytearray(parts[name])
        content[len(content) // 2] ^= 1
        parts[name] = bytes(content)

    found = checked(rewritten(pack, change))
    assert f"{name} was changed: its SHA-256 is not the one in the manifest." in found.problems


@pytest.mark.parametrize("name", PARTS)
def test_a_missing_part_is_named(pack: Path, name: str) -> None:
    def take_out(parts: dict[str, bytes]) -> None:
        del parts[name]

    found = checked(rewritten(pack, take_out))
    assert f"{name} is missing." in found.problems


def test_a_part_too_many_is_named(pack: Path) -> None:
    found = checked(rewritten(pack, lambda parts: parts.update({"note.txt": b"hi"})))
    assert "note.txt is not in the manifest." in found.problems


def test_a_forged_manifest_does_not_fit_the_signature(pack: Path) -> None:
    def forge(parts: dict[str, bytes]) -> None:
        parts[MANIFEST] = canonical({**json.loads(parts[MANIFEST]), "decision": "another"})

    assert any("signature" in problem for problem in checked(rewritten(pack, forge)).problems)


def test_a_pack_signed_by_somebody_else_is_told(pack: Path) -> None:
    def damage(parts: dict[str, bytes]) -> None:
        parts[SIGNATURE] = b"AAAA\n"

    assert any("signature" in problem for problem in checked(rewritten(pack, damage)).problems)
    assert "another key" in check_pack(pack, key="AAAA").problems[0]


def test_a_changed_byte_anywhere_is_noticed(pack: Path) -> None:
    whole = pack.read_bytes()
    for place in range(0, len(whole), max(1, len(whole) // 150)):
        content = bytearray(whole)
        content[place] ^= 1
        pack.write_bytes(bytes(content))
        try:
            assert checked(pack).problems, place
        except Exception as error:
            assert type(error).__name__ == "NoPack", (place, error)  # noqa: PT017


def test_an_offset_that_is_damaged_is_told(pack: Path) -> None:
    """It makes `zipfile` look before the beginning of the file."""
    content = bytearray(pack.read_bytes())
    entry = content.index(b"PK\x01\x02")
    content[entry + 42 : entry + 46] = b"\xff\xff\xff\x7f"
    end = content.rindex(b"PK\x05\x06")
    # The central directory seems to begin later, so that everything before it seems to.
    directory = int.from_bytes(content[end + 16 : end + 20], "little")
    content[end + 16 : end + 20] = (directory + 1000).to_bytes(4, "little")
    pack.write_bytes(bytes(content))
    with pytest.raises(Exception, match=r"ZIP file|damaged") as error:
        checked(pack)
    assert type(error.value).__name__ == "NoPack"


def test_statistics_are_computed_again_whatever_the_hashes_say(pack: Path) -> None:
    """Even who holds the key cannot pass a verdict that its rows do not come to."""

    def cheat(parts: dict[str, bytes]) -> None:
        verdict = json.loads(parts["verdict.json"])
        verdict["outcomes"][1] |= {"state": "passes"}
        verdict["state"] = "passes"
        parts["verdict.json"] = canonical(verdict)

    problems = checked(rewritten(pack, cheat)).problems
    assert "Experts give 4 or more: computed again, state differs." in problems
    assert "The verdict is “undecided” when computed again, not “passes”." in problems


def test_downloads(decision: Decision, api: APIClient, as_alice: Client, as_rita: Client) -> None:
    expected = packed(decision)
    by_rest = api.get(f"/api/v1/decisions/{decision.id}/pack/")
    by_page = as_alice.get(f"/evaluations/decisions/{decision.id}/pack/")
    for response in (by_rest, by_page):
        assert response.status_code == 200
        assert response["Content-Type"] == "application/zip"
        assert "decision-boxes-v1-" in response["Content-Disposition"]
        assert b"".join(cast(Any, response).streaming_content) == expected
    key = Client().get("/api/v1/signing-key/").json()
    assert key == {"algorithm": "Ed25519", "key": public_text(signing_key())}
