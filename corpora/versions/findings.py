"""Reads the problems and notices of a check from findings.jsonl, page by page, and gives their codes titles."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from corpora.ingest.contracts import Finding
from corpora.models import DatasetVersion
from corpora.versions.rows import SEARCH_BYTES, BadCursor
from storage.objects import object_lines, read_range

_decoder = msgspec.json.Decoder(Finding)

TITLES = {
    "data_type": "Value of the wrong type",
    "example_missing_assistant_message": "No answer",
    "message_missing_key": "Turn without a role or text",
    "message_unrecognized_key": "Turn with an unknown key",
    "missing_content": "Empty turn",
    "missing_messages_list": "No known columns",
    "unrecognized_role": "Unknown role",
    "dataset:answer_not_last": "Last turn is not an answer",
    "dataset:beside_rows": "Content beside the rows",
    "dataset:broken_archive": "Damaged archive",
    "dataset:broken_file": "Damaged file",
    "dataset:broken_line": "Unreadable line",
    "dataset:conflicting_answer": "Conflicting answers to the same prompt",
    "dataset:converted": "Converted text",
    "dataset:duplicate_key": "Duplicate column or key",
    "dataset:duplicate_row": "Duplicate rows",
    "dataset:empty_file": "No rows",
    "dataset:empty_prompt": "Empty prompts",
    "dataset:encoding": "Text that is not UTF-8",
    "dataset:guessed_columns": "Columns recognised by name",
    "dataset:leak": "Prompts in both splits",
    "dataset:left_out": "Rows left out",
    "dataset:missing_field": "Missing or empty field",
    "dataset:missing_prompt": "No prompt",
    "dataset:near_duplicate": "Near-duplicate rows",
    "dataset:near_leak": "Test rows similar to training rows",
    "dataset:no_test_rows": "No test rows",
    "dataset:no_train_rows": "No training rows",
    "dataset:no_usable_rows": "No usable rows",
    "dataset:not_a_dataset": "Not a dataset file",
    "dataset:not_chosen": "Answers labelled as bad",
    "dataset:not_learnt": "Answers that are not learnt",
    "dataset:nothing_to_learn": "No answer to learn",
    "dataset:nul_character": "Invalid character",
    "dataset:over_long": "Rows too long for the base model",
    "dataset:personal_card": "Payment card numbers",
    "dataset:personal_email": "E-mail addresses",
    "dataset:personal_iban": "Bank account numbers",
    "dataset:personal_phone": "Phone numbers",
    "dataset:personal_secret": "Keys and access tokens",
    "dataset:preference_data": "Preference data",
    "dataset:quota_exceeded": "Not enough storage",
    "dataset:reasoning": "Reasoning",
    "dataset:row_too_long": "Row over the size limit",
    "dataset:title_rows": "Lines above the column names",
    "dataset:tools": "Invalid tools",
    "dataset:too_few_rows": "Too few rows",
    "dataset:too_large": "Too large after decompression",
    "dataset:too_many_slices": "Too many slices",
    "dataset:unknown_split": "Unknown split",
    "dataset:unused_field": "Unused columns",
    "dataset:uses_tools": "Tools",
    "dataset:weight": "Invalid weight",
}


def title_of(code: str) -> str:
    """The title of a finding's code."""
    return TITLES.get(code) or code.rpartition(":")[2].replace("_", " ").capitalize()


@dataclass(frozen=True, kw_only=True)
class FindingsPart:
    """A page of findings. The next page starts at byte `cursor` of the file; None at the end."""

    findings: list[Finding]
    cursor: int | None


def read_findings(version: DatasetVersion, *, code: str = "", cursor: int = 0, size: int) -> FindingsPart:
    """Up to `size` findings of `code`, or of all codes, in order of lines. Reads at most about SEARCH_BYTES.

    Raises BadCursor if no finding starts at `cursor`, and ObjectMissing.
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
    """Every finding in order of lines, followed by near duplicates and near leaks."""
    return map(_decoder.decode, object_lines(version.findings_key) if version.findings_key else ())
