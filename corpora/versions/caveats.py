"""What the check of a version found that matters where something is decided from it: in plain words, for any page."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django.utils.formats import date_format
from django.utils.timezone import localtime

from corpora.ingest.assembly.findings import decision_for
from corpora.models import DatasetVersion
from corpora.versions.decisions import Notice, is_standing

Severity = Literal["warning", "note"]


@dataclass(frozen=True, kw_only=True)
class Caveat:
    """A finding of `count` rows of the dataset version `version_id`.

    After a `warning`, results or the adapter may be worse than they look. A `note` informs. `rows_url` is the address
    of the rows where it is not the check of the version that found them.
    """

    code: str
    count: int
    text: str
    severity: Severity
    version_id: UUID
    rows_url: str = ""


def caveats_of(version: DatasetVersion) -> list[Caveat]:
    """The caveats of a version, the most serious first. Findings that its options answer, such as masking, are none.

    Reads the version's profile, and for personal data who kept it.
    """
    return list(_caveats(version, TEXTS))


def leaks_of(version: DatasetVersion) -> list[Caveat]:
    """The caveats for which a score on the version's test rows looks better than it is."""
    return list(_caveats(version, LEAKS))


def has(version: DatasetVersion, code: str) -> bool:
    """Whether the version has a caveat of this code."""
    return code in _standing(version)


def _caveats(version: DatasetVersion, codes: "Mapping[str, Write]") -> Iterator[Caveat]:
    notices = _standing(version)
    for code, write in codes.items():
        if notice := notices.get(code):
            is_kept = decision_for(code) == "personal_data" and version.personal_data_kept_at
            yield Caveat(
                code=code,
                count=notice["count"],
                text=write(version, notice),
                severity="note" if code in NOTES or is_kept else "warning",
                version_id=version.id,
            )


def _standing(version: DatasetVersion) -> dict[str, Notice]:
    """The notices by code, without those whose decision the import options made."""
    return {n["code"]: n for n in version.profile.get("warnings", []) if is_standing(version, n)}


def _leak(version: DatasetVersion, notice: Notice) -> str:
    """Checks before test rows were counted know only how many rows are like an earlier one of the other split."""
    concerned, read = notice.get("test_rows", 0), notice.get("test_rows_read", 0)
    if not read:
        return f"{_rows(notice, 'has', 'have')} the prompt of a row in the other split: {BETTER}."
    verb = "has" if concerned == 1 else "have"
    return f"{concerned:,} of {read:,} test rows {verb} the prompt of a training row: {BETTER}."


def _near_leak(version: DatasetVersion, notice: Notice) -> str:
    concerned, read = notice.get("test_rows", 0), notice.get("test_rows_read", 0)
    if not read:
        return f"{_rows(notice, 'is', 'are')} much like a row in the other split: {BETTER}."
    of = f"{read:,} test rows" if read >= version.test_count else f"the {read:,} test rows looked at"
    verb = "is" if concerned == 1 else "are"
    return f"{concerned:,} of {of} {verb} much like training rows: {BETTER}."


def _personal(what: str) -> "Write":
    def write(version: DatasetVersion, notice: Notice) -> str:
        return f"{_rows(notice, 'contains', 'contain')} {what}, which the adapter may repeat. {_decision(version)}"

    return write


def _decision(version: DatasetVersion) -> str:
    """Who decided to keep the personal data, and when."""
    if version.personal_data_kept_at is None:
        return "Nobody has decided to keep it yet."
    by = f" by {' '.join(str(version.personal_data_kept_by).split())}" if version.personal_data_kept_by else ""
    return f"Kept{by} on {date_format(localtime(version.personal_data_kept_at), 'j M Y')}."


def _over_long(version: DatasetVersion, notice: Notice) -> str:
    base = version.profile.get("context") or "the base model"
    return f"{_rows(notice, 'has', 'have')} more tokens than {base} reads. Training skips such rows."


def _near_duplicate(version: DatasetVersion, notice: Notice) -> str:
    sampled = version.profile.get("sampled", 0)
    of = f" of the {sampled:,} rows looked at" if 0 < sampled < version.row_count else f" of {version.row_count:,} rows"
    verb = "is" if notice["count"] == 1 else "are"
    return f"{notice['count']:,}{of} {verb} almost the same as another row."


def _plain(verb: str, verbs: str, rest: str) -> "Write":
    return lambda _, notice: f"{_rows(notice, verb, verbs)} {rest}"


def _rows(notice: Notice, verb: str, verbs: str) -> str:
    count = notice["count"]
    return f"1 row {verb}" if count == 1 else f"{count:,} rows {verbs}"


Write = Callable[[DatasetVersion, Notice], str]

BETTER = "results look better than they are"
LEAKS: dict[str, Write] = {"dataset:leak": _leak, "dataset:near_leak": _near_leak}
TEXTS: dict[str, Write] = {
    **LEAKS,
    "dataset:personal_secret": _personal("a key or a password token"),
    "dataset:personal_card": _personal("a payment card number"),
    "dataset:personal_iban": _personal("a bank account number (IBAN)"),
    "dataset:personal_email": _personal("an e-mail address"),
    "dataset:personal_phone": _personal("a phone number"),
    "dataset:over_long": _over_long,
    "dataset:near_duplicate": _near_duplicate,
    "dataset:not_learnt": _plain("has", "have", "answers of weight 0, which the model reads but does not learn."),
    "dataset:uses_tools": _plain("uses", "use", "tools, which the base model’s chat template must read."),
    "dataset:reasoning": _plain("has", "have", "reasoning, which the base model’s chat template must read."),
}
NOTES = {"dataset:near_duplicate", "dataset:not_learnt", "dataset:uses_tools", "dataset:reasoning"}
