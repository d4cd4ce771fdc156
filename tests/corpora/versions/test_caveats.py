"""What a check found, in the words of the pages where something is decided from a version."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from corpora.ingest.assembly.findings import NOTICES, decision_for
from corpora.models import DatasetVersion
from corpora.versions.caveats import caveats_of, has, leaks_of
from corpora.versions.findings import TITLES
from corpora.versions.quality import quality_of
from tenants.models import Tenant, User
from tests.corpora.conftest import jsonl

LEASE = "the tenant may end this lease by written notice of three months to the end of a month unless agreed otherwise"


def notice(code: str, count: int = 3, **more: Any) -> dict[str, Any]:
    return {"code": code, "count": count, "text": "", "lines": [1], "decision": decision_for(code), **more}


def version_with(*notices: dict[str, Any], **fields: Any) -> DatasetVersion:
    profile = {"warnings": list(notices), **fields.pop("profile", {})}
    return DatasetVersion(tenant_id=uuid4(), row_count=24, train_count=6, test_count=18, profile=profile, **fields)


def text_of(code: str, count: int = 3, *, profile: dict[str, Any] | None = None, **more: Any) -> str:
    (caveat,) = caveats_of(version_with(notice(code, count, **more), profile=profile or {}))
    assert (caveat.code, caveat.count) == (code, count)
    return caveat.text


@pytest.mark.parametrize(
    ("code", "count", "test_rows", "test_rows_read", "text"),
    [
        ("leak", 2, 4, 18, "4 of 18 test rows have the prompt of a training row"),
        ("leak", 1, 1, 1, "1 of 1 test rows has the prompt of a training row"),
        ("leak", 2, 0, 0, "2 rows have the prompt of a row in the other split"),
        ("near_leak", 16, 16, 18, "16 of 18 test rows are much like training rows"),
        ("near_leak", 1, 1, 18, "1 of 18 test rows is much like training rows"),
        ("near_leak", 1, 1, 12, "1 of the 12 test rows looked at is much like training rows"),
        ("near_leak", 16, 0, 0, "16 rows are much like a row in the other split"),
    ],
)
def test_leaks_say_how_many_test_rows_they_concern(
    code: str, count: int, test_rows: int, test_rows_read: int, text: str
) -> None:
    told = text_of(f"dataset:{code}", count, test_rows=test_rows, test_rows_read=test_rows_read)
    assert told == f"{text}: results look better than they are."


def test_the_rest_is_told_in_plain_words() -> None:
    assert text_of("dataset:over_long", 1, profile={"context": "tiny-llama"}).startswith(
        "1 row has more tokens than tiny-llama reads."
    )
    assert text_of("dataset:over_long").startswith("3 rows have more tokens than the base model reads.")
    sampled = {"sampled": 20}
    assert text_of("dataset:near_duplicate", profile=sampled).startswith("3 of the 20 rows looked at are almost")
    assert text_of("dataset:near_duplicate", 1, profile={"sampled": 24}).startswith("1 of 24 rows is almost")
    assert text_of("dataset:not_learnt").startswith("3 rows have answers of weight 0")
    assert text_of("dataset:uses_tools", 1).startswith("1 row uses tools")
    assert text_of("dataset:reasoning").startswith("3 rows have reasoning")


def test_personal_data_says_who_kept_it() -> None:
    code = "dataset:personal_email"
    assert text_of(code) == (
        "3 rows contain an e-mail address, which the adapter may repeat. Nobody has decided to keep it yet."
    )
    when = datetime(2026, 5, 3, 12, tzinfo=UTC)
    ann = User(name="Ann\n Example", email="ann@example.com")
    kept = caveats_of(version_with(notice(code), personal_data_kept_at=when, personal_data_kept_by=ann))
    gone = caveats_of(version_with(notice(code), personal_data_kept_at=when))
    open_caveat = caveats_of(version_with(notice(code)))
    assert kept[0].text.endswith("Kept by Ann Example on 3 May 2026.")
    assert gone[0].text.endswith("Kept on 3 May 2026.")
    assert [found[0].severity for found in (open_caveat, kept, gone)] == ["warning", "note", "note"]


def test_the_most_serious_come_first_and_what_the_options_answer_is_left_out() -> None:
    codes = ["reasoning", "over_long", "personal_phone", "near_leak", "leak", "duplicate_row", "guessed_columns"]
    asked = version_with(*(notice(f"dataset:{code}") for code in codes))
    assert [caveat.code.removeprefix("dataset:") for caveat in caveats_of(asked)] == [
        "leak", "near_leak", "personal_phone", "over_long", "reasoning",
    ]  # fmt: skip
    assert [caveat.code for caveat in leaks_of(asked)] == ["dataset:leak", "dataset:near_leak"]
    options = dict.fromkeys(("leaks", "near_leaks", "personal_data", "over_long", "reasoning"), "chosen")
    answered = version_with(*(notice(f"dataset:{code}") | {"decision": ""} for code in codes), options=options)
    assert caveats_of(answered) == []
    assert (has(asked, "dataset:reasoning"), has(answered, "dataset:reasoning")) == (True, False)
    assert caveats_of(DatasetVersion(tenant_id=uuid4())) == []


def test_near_leaks_of_a_check_that_offered_no_choice_are_still_named() -> None:
    before = version_with(notice("dataset:near_leak", test_rows=3, test_rows_read=18) | {"decision": ""})
    assert [caveat.code for caveat in caveats_of(before)] == ["dataset:near_leak"]
    assert [decision.name for decision in quality_of(before).decisions] == ["near_leaks"]


def test_near_leaks_that_could_not_be_left_out_are_still_named() -> None:
    left = notice("dataset:near_leak", 20, test_rows=2, test_rows_read=18) | {"decision": ""}
    version = version_with(left, options={"near_leaks": "leave_out"})
    assert [caveat.text for caveat in leaks_of(version)] == [
        "2 of 18 test rows are much like training rows: results look better than they are."
    ]
    assert quality_of(version).decisions == []


def test_every_caveat_is_a_notice_with_a_title() -> None:
    codes = [caveat.code for caveat in caveats_of(version_with(*map(notice, NOTICES)))]
    assert {f"dataset:{code}" for code in ("leak", "near_leak", "near_duplicate", "uses_tools")} <= set(codes)
    assert {code for code in NOTICES if "personal" in code} <= set(codes)
    assert all(code in TITLES for code in codes)


def test_a_checked_file_says_it_of_its_own_test_rows(checked: Callable[..., DatasetVersion], in_tenant: Tenant) -> None:
    learnt = [{"prompt": f"{LEASE} case {i} {'now ' * i}", "completion": "a", "split": "train"} for i in range(3)]
    tests = [{"prompt": f"{LEASE.upper()} case 0", "completion": "b", "split": "test"}]
    tests += [{"prompt": f"What is {i}?", "completion": "b", "split": "test"} for i in range(2)]
    repeated = {"prompt": "What is 1?", "completion": "a", "split": "train"}
    version = checked(jsonl(*tests, *learnt, repeated))
    assert [caveat.text for caveat in leaks_of(version)] == [
        "1 of 3 test rows has the prompt of a training row: results look better than they are.",
        "1 of 3 test rows is much like training rows: results look better than they are.",
    ]
