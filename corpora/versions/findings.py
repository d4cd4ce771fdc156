"""Every problem and notice of a check, read from findings.jsonl a part at a time, and what their codes mean."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from corpora.ingest.contracts import Finding
from corpora.models import DatasetVersion
from corpora.versions.rows import SEARCH_BYTES, BadCursor
from storage.objects import object_lines, read_range

_decoder = msgspec.json.Decoder(Finding)

TITLES = {
    "data_type": "A value of the wrong kind",
    "example_missing_assistant_message": "No answer to learn",
    "message_missing_key": "A turn without its role or text",
    "message_unrecognized_key": "A turn with more than role and text",
    "missing_content": "A turn without text",
    "missing_messages_list": "No known columns",
    "unrecognized_role": "An unknown role",
    "dataset:answer_not_last": "The answer is not the last turn",
    "dataset:broken_archive": "A damaged archive",
    "dataset:broken_file": "A damaged file",
    "dataset:broken_line": "A broken line",
    "dataset:conflicting_answer": "One prompt, different answers",
    "dataset:duplicate_key": "A column or key twice",
    "dataset:duplicate_row": "Rows that repeat another",
    "dataset:empty_file": "No rows",
    "dataset:encoding": "Text that is not UTF-8",
    "dataset:leak": "One prompt in both splits",
    "dataset:left_out": "Rows that were left out",
    "dataset:missing_field": "A field left empty or out",
    "dataset:missing_prompt": "No prompt to answer",
    "dataset:near_duplicate": "Rows much like another",
    "dataset:near_leak": "Rows of the test much like trained ones",
    "dataset:no_test_rows": "Nothing held out for a test",
    "dataset:no_train_rows": "Nothing to train on",
    "dataset:no_usable_rows": "No row can be used",
    "dataset:not_a_dataset": "Not a file of rows",
    "dataset:nul_character": "A character that cannot be stored",
    "dataset:over_long": "Rows longer than the model reads",
    "dataset:personal_card": "Payment card numbers",
    "dataset:personal_email": "E-mail addresses",
    "dataset:personal_iban": "Bank account numbers",
    "dataset:personal_phone": "Phone numbers",
    "dataset:personal_secret": "Keys and password tokens",
    "dataset:row_too_long": "A row over the size limit",
    "dataset:too_few_rows": "Too few rows",
    "dataset:too_large": "Too large when unpacked",
    "dataset:too_many_slices": "Too many slices",
    "dataset:unknown_split": "An unknown split",
    "dataset:unused_field": "Columns that are not used",
}


def title_of(code: str) -> str:
    """A code in plain words."""
    return TITLES.get(code) or code.rpartition(":")[2].replace("_", " ").capitalize()


@dataclass(frozen=True, kw_only=True)
class FindingsPart:
    """Some findings; the next part begins at byte `cursor`, None at the end."""

    findings: list[Finding]
    cursor: int | None


def read_findings(version: DatasetVersion, *, code: str = "", cursor: int = 0, size: int) -> FindingsPart:
    """At most `size` findings of this code, or of all, by line; fewer where SEARCH_BYTES hold no more.

    Raises BadCursor where no finding begins there, and ObjectMissing.
    """
    if not version.findings_key:
        return FindingsPart(findings=[], cursor=None)
    if cursor and read_range(version.findings_key, cursor - 1, 1) != b"\n":
        raise BadCursor
    found: list[Finding] = []
    end = cursor
    for line in object_lines(version.findings_key, cursor):
        if len(found) == size or end - cursor >= SEARCH_BYTES:
            return FindingsPart(findings=found, cursor=end)
        end += len(line) + 1
        finding = _decoder.decode(line)
        if not code or finding.code == code:
            found.append(finding)
    return FindingsPart(findings=found, cursor=None)


def all_findings(version: DatasetVersion) -> Iterator[Finding]:
    """Every finding, by line; those of the closer look follow."""
    return map(_decoder.decode, object_lines(version.findings_key) if version.findings_key else ())
