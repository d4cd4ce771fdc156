"""Everything that can be checked about a receipt with nothing but the receipt, the request and the answer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lorakit.strict_json import read_json
from lorakit.verify.checking import Findings
from lorakit.verify.receipts import SCHEMA, is_genuine, request_sha256
from lorakit.verify.transcript import Transcript


class NoReceipt(Exception):
    """The file is no receipt, or one of a later schema; or the request or answer beside it can’t be read."""


def check_receipt(path: Path, *, key: str = "", request: Path | None = None, answer: Path | None = None) -> Findings:
    """Check the signature, and whether `request` and `answer` are those of the receipt.

    `path` holds a receipt, or a whole answer with its receipt; `key` is the site's public key. `request` holds the body
    that was sent; `answer` the whole answer, a list of the events of its stream, or in a file that is not called
    `.json` the text alone. Raises NoReceipt or OSError.
    """
    receipt = _receipt_of(path)
    found = Findings(title=_title(receipt), key=str(receipt.get("key", "")))
    if key and key.strip() != found.key:
        found.problems.append("The receipt is signed with another key than the one given.")
    if is_genuine(receipt):
        found.agreed.append("The receipt is signed with this key: " + found.key)
    else:
        found.problems.append("The signature does not fit the receipt: one of the two was changed.")
    if request is None:
        found.notes.append("The request was not compared. Give the body that you sent with --request")
    else:
        _compare(found, "request", receipt, [_request_sha256(request)])
    if answer is None:
        found.notes.append("The answer was not compared. Give it with --answer")
    else:
        _compare(found, "answer", receipt, _answer_sha256s(answer))
    return found


def _receipt_of(path: Path) -> Mapping[str, Any]:
    document = _json(path)
    if isinstance(document, dict) and isinstance(document.get("receipt"), dict):
        document = document["receipt"]
    if not isinstance(document, dict) or "signature" not in document or "schema" not in document:
        raise NoReceipt(f"{path.name} is not a receipt, and has none.")
    if document["schema"] != SCHEMA:
        raise NoReceipt("This is not a receipt of a schema that is known here.")
    return document


def _title(receipt: Mapping[str, Any]) -> str:
    number = receipt.get("version_number")
    version = "" if number is None else f" v{number}"
    return f"Request {receipt.get('request_id')}: answered by {receipt.get('model')}{version}, {receipt.get('at')}."


def _compare(found: Findings, what: str, receipt: Mapping[str, Any], hashes: list[str]) -> None:
    if receipt.get(f"{what}_sha256") in hashes:
        found.agreed.append(f"The {what} has the SHA-256 that the receipt names")
    else:
        found.problems.append(f"This is not the {what} of this receipt: its SHA-256 is {hashes[0]}.")


def _request_sha256(path: Path) -> str:
    body = _json(path)
    if not isinstance(body, dict):
        raise NoReceipt(f"{path.name} is not the body of a request: it is not a JSON object.")
    return request_sha256(body)


def _answer_sha256s(path: Path) -> list[str]:
    if path.suffix == ".json":
        return [_transcript(path, _json(path)).sha256()]
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError:
        raise NoReceipt(f"{path.name} is not text in UTF-8.") from None
    # Editors end a file with a line break that no model wrote.
    return [_transcript(path, text).sha256() for text in (text, text.removesuffix("\n"))]


def _transcript(path: Path, said: Any) -> Transcript:
    transcript = Transcript()
    try:
        if isinstance(said, str):
            transcript.add_text(said)
        else:
            for event in said if isinstance(said, list) else [said]:
                transcript.add(event)
    except (ValueError, AttributeError):
        raise NoReceipt(f"{path.name} is not an answer of OpenAI’s API.") from None
    return transcript


def _json(path: Path) -> Any:
    try:
        return read_json(path.read_bytes())
    except ValueError as error:
        raise NoReceipt(f"{path.name} is not readable JSON ({error}). It may have been cut off.") from None
