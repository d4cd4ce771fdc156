"""Receipts are checked with nothing but the files: whatever was changed in one is told."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lorakit.verify.__main__ import main
from lorakit.verify.checking_receipts import NoReceipt, check_receipt
from lorakit.verify.receipts import request_sha256, signed
from lorakit.verify.signing import public_text
from lorakit.verify.transcript import Transcript

KEY, OTHER_KEY = (Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32) for seed in (1, 2))
REQUEST = {"model": "legal", "messages": [{"role": "user", "content": "Grüße"}], "temperature": 0.0, "stream": True}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"at": "Graz"}'}}
ANSWER = {
    "object": "chat.completion",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "It is dry.", "tool_calls": None}},
        {"index": 1, "message": {"role": "assistant", "content": None, "tool_calls": [CALL]}},
    ],
}
EVENTS: list[dict[str, Any]] = [
    {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "It is"}}]},
    {"choices": [{"index": 1, "delta": {"tool_calls": [{**CALL, "index": 0, "function": {"name": "weather"}}]}}]},
    {"choices": [{"index": 0, "delta": {"content": " dry."}}]},
    {"choices": [{"index": 1, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '{"at": '}}]}}]},
    {"choices": [{"index": 1, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '"Graz"}'}}]}}]},
    {"choices": [], "usage": {"prompt_tokens": 1}},
]


def sha256_of(*parts: dict[str, Any]) -> str:
    transcript = Transcript()
    for part in parts:
        transcript.add(part)
    return transcript.sha256()


def receipt(key: Ed25519PrivateKey = KEY, answer: str = "") -> dict[str, Any]:
    return signed(
        {
            "request_id": "req-1",
            "tenant_id": "a2c1",
            "model": "legal",
            "version_id": "b7d3",
            "version_number": 3,
            "package_sha256": "9f" * 32,
            "base_model": None,
            "request_sha256": request_sha256(REQUEST),
            "answer_sha256": answer or sha256_of(ANSWER),
            "at": "2026-11-27T17:00:00.250Z",
        },
        key,
    )


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with `receipt.json`, `request.json` and `answer.json`."""
    for name, content in (("receipt", receipt()), ("request", REQUEST), ("answer", ANSWER)):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


def verify(folder: Path, *options: str, file: str = "receipt.json", key: Ed25519PrivateKey = KEY) -> int:
    return main([str(folder / file), "--key", public_text(key), *options])


def beside(folder: Path) -> tuple[str, ...]:
    return ("--request", str(folder / "request.json"), "--answer", str(folder / "answer.json"))


def test_everything_holds(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(files, *beside(files)) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "Request req-1: answered by legal v3, 2026-11-27T17:00:00.250Z.",
        f"ok    The receipt is signed with this key: {public_text(KEY)}",
        "ok    The request has the SHA-256 that the receipt names",
        "ok    The answer has the SHA-256 that the receipt names",
        "Verified.",
    ]


def test_what_was_not_compared_is_noted(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(files / "receipt.json")]) == 0
    said = capsys.readouterr().out
    assert "note  The request was not compared" in said
    assert "note  The answer was not compared" in said
    assert "note  Compare the key with the site’s" in said


def test_a_receipt_within_its_answer_is_found(files: Path) -> None:
    (files / "answer.json").write_text(json.dumps({**ANSWER, "receipt": receipt()}))
    assert verify(files, *beside(files), file="answer.json") == 0


def test_a_stream_has_the_hash_of_the_whole_answer(files: Path) -> None:
    assert sha256_of(*EVENTS) == sha256_of(ANSWER)
    (files / "answer.json").write_text(json.dumps(EVENTS))
    assert verify(files, *beside(files)) == 0


@pytest.mark.parametrize("text", [b"It is dry.", b"It is dry.\n", b"It is dry.\r\n"])
def test_an_answer_may_be_its_text_alone(files: Path, text: bytes) -> None:
    alone = sha256_of({"choices": [{"text": "It is dry." + "\r" * text.count(b"\r")}]})
    (files / "receipt.json").write_text(json.dumps(receipt(answer=alone)))
    (files / "answer.txt").write_bytes(text)
    assert verify(files, "--answer", str(files / "answer.txt")) == 0
    (files / "answer.txt").write_bytes(b"It is wet.")
    assert verify(files, "--answer", str(files / "answer.txt")) == 1


def test_how_an_answer_travels_and_how_numbers_are_written_is_no_part_of_a_request() -> None:
    other = {"temperature": 0, "messages": REQUEST["messages"], "stream_options": {"include_usage": True}}
    assert request_sha256({**other, "model": "legal"}) == request_sha256(REQUEST)
    changes: list[dict[str, Any]] = [{"temperature": 0.1}, {"messages": []}, {"model": "other"}, {"seed": 1}]
    for changed in changes:
        assert request_sha256({**REQUEST, **changed}) != request_sha256(REQUEST)


@pytest.mark.parametrize("events", [EVENTS[:-2], EVENTS[1:], [*EVENTS, EVENTS[0]], [EVENTS[2], *EVENTS]])
def test_another_answer_has_another_hash(events: list[dict[str, Any]]) -> None:
    assert sha256_of(*events) != sha256_of(ANSWER)


def test_the_end_of_one_choice_is_not_the_beginning_of_the_next() -> None:
    texts = (("ab", "c"), ("a", "bc"), ("abc", ""))
    hashes = {
        sha256_of({"choices": [{"index": place, "text": text} for place, text in enumerate(pair)]}) for pair in texts
    }
    assert len(hashes) == len(texts)


def test_another_request_or_answer_is_told(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (files / "request.json").write_text(json.dumps({**REQUEST, "temperature": 1}))
    assert verify(files, *beside(files)) == 1
    assert "FAIL  This is not the request of this receipt: its SHA-256 is " in capsys.readouterr().out
    (files / "request.json").write_text(json.dumps(REQUEST))
    (files / "answer.json").write_text(json.dumps(EVENTS[:1]))
    assert verify(files, *beside(files)) == 1
    said = capsys.readouterr().out
    assert "FAIL  This is not the answer of this receipt" in said
    assert said.endswith("Not verified.\n")


def test_another_sites_key_is_told(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(files, key=OTHER_KEY) == 1
    assert "FAIL  The receipt is signed with another key than the one given." in capsys.readouterr().out
    forged = {**receipt(OTHER_KEY), "key": public_text(KEY)}
    (files / "receipt.json").write_text(json.dumps(forged))
    assert verify(files) == 1
    assert "FAIL  The signature does not fit the receipt" in capsys.readouterr().out


@pytest.mark.parametrize("name", [name for name in receipt() if name != "schema"])
def test_a_changed_or_missing_member_is_told(files: Path, name: str) -> None:
    changed = {**receipt(), name: "another"}
    missing = {other: value for other, value in receipt().items() if other != name}
    for forged in (changed, missing):
        (files / "receipt.json").write_text(json.dumps(forged))
        assert verify(files) == (2 if name not in forged and name == "signature" else 1)


def test_a_changed_byte_anywhere_is_noticed(files: Path) -> None:
    path = files / "receipt.json"
    whole = json.dumps(receipt(), separators=(",", ":")).encode()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            assert check_receipt(path, key=public_text(KEY)).problems, place
        except NoReceipt:
            continue


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (json.dumps(receipt()).encode()[:-40], "not readable JSON"),
        (b"", "not readable JSON"),
        (b"\xff\xfe{}", "not readable JSON"),
        (b"[]", "is not a receipt"),
        (b'{"receipt": null}', "is not a receipt"),
        (json.dumps(ANSWER).encode(), "is not a receipt"),
        (json.dumps({**receipt(), "schema": "adapter-portal/receipt/2"}).encode(), "a schema that is known"),
    ],
)
def test_what_is_no_receipt_is_told(files: Path, capsys: pytest.CaptureFixture[str], content: bytes, told: str) -> None:
    (files / "receipt.json").write_bytes(content)
    assert verify(files) == 2
    said = capsys.readouterr().err
    assert said.startswith("Not verified: ")
    assert told in said


@pytest.mark.parametrize(
    ("option", "name", "content", "told"),
    [
        ("--request", "r.json", b"[]", "not a JSON object"),
        ("--request", "r.json", b'{"model": ', "not readable JSON"),
        ("--request", "missing.json", None, "No such file"),
        ("--answer", "a.json", b'{"choices": [7]}', "not an answer"),
        ("--answer", "a.json", b"[7]", "not an answer"),
        ("--answer", "a.json", b'{"choices": [{"text": 7}]}', "not an answer"),
        ("--answer", "a.txt", b"\xff", "not text in UTF-8"),
    ],
)
def test_a_file_beside_it_that_cannot_be_read_is_told(
    files: Path, capsys: pytest.CaptureFixture[str], option: str, name: str, content: bytes | None, told: str
) -> None:
    if content is not None:
        (files / name).write_bytes(content)
    assert verify(files, option, str(files / name)) == 2
    assert told in capsys.readouterr().err


def test_a_pack_has_neither_request_nor_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack = tmp_path / "pack.zip"
    pack.write_bytes(b"PK")
    with pytest.raises(SystemExit) as ended:
        main([str(pack), "--request", str(pack)])
    assert ended.value.code == 2
    assert "are for receipts" in capsys.readouterr().err
