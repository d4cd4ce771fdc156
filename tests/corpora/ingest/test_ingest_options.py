"""What a customer decides about a file, and what the check tells them to decide on."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from corpora.ingest.contracts import Context
from tests.corpora.conftest import jsonl, pairs
from tests.corpora.corpus import writing
from tests.corpora.ingest.checking import Outcome, check

TOKENIZER = Path(__file__).parents[3] / "lorakit" / "tiny" / "model" / "tokenizer.json"
TEXT = "the tenant shall pay the rent on the first working day of every month without any deduction"
WORDS = TEXT.split()


def codes(outcome: Outcome) -> dict[str, int]:
    return {warning.code: warning.count for warning in outcome.report.warnings}


def asked(outcome: Outcome, code: str) -> bool:
    """Whether a notice leaves something to decide; otherwise it says that the rows were left out."""
    notice = next(warning for warning in outcome.report.warnings if warning.code == code)
    assert bool(notice.decision) != ("left out" in notice.text)
    return bool(notice.decision)


def prompts(rows: list[dict[str, Any]]) -> set[str]:
    return {row["messages"][-2]["content"] for row in rows}


def test_a_table_with_its_own_column_names_is_read_as_it_is_mapped(tmp_path: Path) -> None:
    content = "Anliegen;Reaktion;Team\n" + "".join(f"q{i};a{i};t{i % 3}\n" for i in range(30))
    plain = check(content.encode(), tmp_path / "plain")
    assert plain.first == (1, "messages", "dataset:missing_field")
    assert "anliegen, reaktion, team" in plain.report.problems[0].text
    columns = {"prompt": "Anliegen", "completion": "Reaktion", "slice": "Team"}
    outcome = check(content.encode(), tmp_path / "mapped", options={"columns": columns})
    assert outcome.report.accepted, outcome.report.problems
    assert (outcome.report.delimiter, outcome.report.layout) == (";", "prompt and completion")
    assert {row["slice"] for row in outcome.rows} == {"t0", "t1", "t2"}
    assert prompts(outcome.rows) == {f"q{i}" for i in range(30)}


def test_the_keys_of_json_lines_are_mapped_too(tmp_path: Path) -> None:
    rows = [{"q": f"q{i}", "a": f"a{i}", "prompt": "not this"} for i in range(4)]
    outcome = check(jsonl(*rows), tmp_path / "a", options={"columns": {"prompt": "q", "completion": "a"}})
    assert prompts(outcome.rows) == {"q0", "q1", "q2", "q3"}


@pytest.mark.parametrize(("file_format", "line"), [("jsonl", 0), ("csv", 1), ("parquet", 0)])
def test_a_column_that_is_not_there_is_told_once(file_format: str, line: int, tmp_path: Path) -> None:
    content = writing.write([{"prompt": f"q{i}", "completion": "a", "team": "b"} for i in range(9)], file_format)
    for field in ("prompt", "group"):
        outcome = check(content, tmp_path / field, options={"columns": {field: "Question"}})
        assert outcome.first == (line, field, "dataset:missing_field")
        assert outcome.report.problem_count == 1
        assert "prompt, completion, team" in outcome.report.problems[0].text


def test_a_column_that_only_later_rows_have_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpora.ingest.formats.source.LINES_FOR_LAYOUT", 5)
    content = pairs(20) + jsonl({"prompt": "q", "completion": "a", "part": "test"})
    assert check(content, tmp_path / "a", options={"columns": {"split": "part"}}).report.test == 1
    asked = check(content, tmp_path / "b", options={"columns": {"prompt": "part"}})
    assert asked.first == (0, "prompt", "dataset:missing_field")


def test_texts_and_labels_are_a_layout_and_every_label_is_in_both_splits(tmp_path: Path) -> None:
    rows = [{"text": f"text {i}", "label": "rare" if i % 10 == 0 else "common"} for i in range(200)]
    outcome = check(jsonl(*rows), tmp_path / "a", options={"test_share": 0.2})
    assert outcome.report.layout == "classification"
    assert Counter(row["label"] for row in outcome.test) == {"common": 36, "rare": 4}
    assert {row["messages"][-1]["content"] for row in outcome.rows} == {"rare", "common"}


def test_another_seed_draws_other_rows_and_the_same_seed_the_same(tmp_path: Path) -> None:
    drawn = [
        prompts(check(pairs(500), tmp_path / str(number), options={"seed": seed}).test)
        for number, seed in enumerate((1, 2, 1))
    ]
    assert drawn[0] == drawn[2] != drawn[1]


def test_rows_of_a_group_are_on_one_side(tmp_path: Path) -> None:
    rows = [{"prompt": f"q{i}", "completion": "a", "client": i // 5} for i in range(500)]
    outcome = check(jsonl(*rows), tmp_path / "a", options={"columns": {"group": "client"}})
    sides = [{int(prompt[1:]) // 5 for prompt in prompts(part)} for part in (outcome.train, outcome.test)]
    assert outcome.test
    assert not sides[0] & sides[1]


def test_no_row_is_held_out_where_none_is_wanted(tmp_path: Path) -> None:
    outcome = check(pairs(50), tmp_path / "a", options={"test_share": 0.0})
    assert (outcome.report.train, outcome.report.test) == (50, 0)
    assert codes(outcome) == {"dataset:no_test_rows": 1}


def test_one_prompt_with_two_answers_is_told_and_stays_on_one_side(tmp_path: Path) -> None:
    rows = [{"prompt": f"q{i % 100}", "completion": f"a{i}"} for i in range(200)]
    outcome = check(jsonl(*rows), tmp_path / "a")
    assert codes(outcome) == {"dataset:conflicting_answer": 100}
    assert not prompts(outcome.train) & prompts(outcome.test)
    assert [finding["line"] for finding in outcome.findings] == list(range(101, 201))


@pytest.mark.parametrize("leaks", ["keep", "leave_out"])
def test_a_prompt_in_both_splits_is_a_leak(leaks: str, tmp_path: Path) -> None:
    rows = [{"prompt": f"q{i % 20}", "completion": f"a{i}", "split": "test" if i > 19 else "train"} for i in range(25)]
    outcome = check(jsonl(*rows), tmp_path / "a", options={"leaks": leaks})
    assert codes(outcome)["dataset:leak"] == 5
    assert len(outcome.test) == (5 if leaks == "keep" else 0)
    assert [finding["kept"] for finding in outcome.findings] == [leaks == "keep"] * 5
    assert asked(outcome, "dataset:leak") == (leaks == "keep")


def test_rows_that_are_almost_the_same_are_told(tmp_path: Path) -> None:
    texts = [" ".join(WORDS[i % len(WORDS) :] + WORDS[: i % len(WORDS)] + [f"case{i}"]) for i in range(3)]
    rows = [{"prompt": text, "completion": "a", "split": "train"} for text in texts]
    rows.append({"prompt": texts[0].upper() + ", please", "completion": "b", "split": "test"})
    rows.append({"prompt": texts[1] + "!", "completion": "c", "split": "train"})
    outcome = check(jsonl(*rows), tmp_path / "a")
    assert {(finding["line"], finding["code"]) for finding in outcome.findings} == {
        (4, "dataset:near_leak"),
        (5, "dataset:near_duplicate"),
    }


@pytest.mark.parametrize("columns", [{}, {"prompt": "prompt"}])
def test_personal_data_is_told_and_masked_where_that_is_wanted(columns: dict[str, str], tmp_path: Path) -> None:
    content = pairs(5) + jsonl({"prompt": "Write to ann@example.com, card 4111 1111 1111 1111", "completion": "Done"})
    kept = check(content, tmp_path / "kept", options={"columns": columns})
    assert codes(kept) == {"dataset:personal_email": 1, "dataset:personal_card": 1}
    assert {warning.decision for warning in kept.report.warnings} == {"personal_data"}
    masked = check(content, tmp_path / "masked", options={"columns": columns, "personal_data": "mask"})
    assert "Write to [email], card [card]" in prompts(masked.rows)
    assert {warning.decision for warning in masked.report.warnings} == {""}
    assert len({row["id"] for row in masked.rows}) == 6


@pytest.mark.parametrize("field", ["label", "slice"])
def test_personal_data_in_what_a_row_says_of_itself_is_told_and_masked_too(field: str, tmp_path: Path) -> None:
    content = pairs(5) + jsonl({"prompt": "Who?", "completion": "Max", field: "max@example.com, Berlin"})
    kept = check(content, tmp_path / "kept")
    assert codes(kept) == {"dataset:personal_email": 1}
    assert "max@example.com, Berlin" in {row[field] for row in kept.rows}
    masked = check(content, tmp_path / "masked", options={"personal_data": "mask"})
    assert codes(masked) == {"dataset:personal_email": 1}
    assert "[email], Berlin" in {row[field] for row in masked.rows}
    assert "max@" not in masked.report.to_json()


def test_a_label_that_is_the_answer_is_masked_as_it_is(tmp_path: Path) -> None:
    rows = [{"text": f"text {i}", "label": "max@example.com" if i else "none"} for i in range(4)]
    masked = check(jsonl(*rows), tmp_path / "a", options={"personal_data": "mask"})
    assert {(row["label"], row["messages"][-1]["content"]) for row in masked.rows} == {
        ("[email]", "[email]"),
        ("none", "none"),
    }


@pytest.mark.parametrize("over_long", ["keep", "leave_out"])
def test_rows_beyond_the_base_models_context_are_told(over_long: str, tmp_path: Path) -> None:
    content = pairs(5) + jsonl({"prompt": "rent " * 400, "completion": "a"})
    context = Context(name="tiny", tokens=200, tokenizer=str(TOKENIZER))
    outcome = check(content, tmp_path / "a", options={"over_long": over_long}, context=context)
    assert codes(outcome) == {"dataset:over_long": 1}
    assert len(outcome.rows) == (6 if over_long == "keep" else 5)
    assert asked(outcome, "dataset:over_long") == (over_long == "keep")
    profile = outcome.report.profile
    assert profile
    assert profile.tokens
    assert (profile.context, profile.context_tokens) == ("tiny", 200)
    assert (profile.tokens.maximum > 200) == (over_long == "keep")


def test_the_languages_of_the_rows_are_counted(tmp_path: Path) -> None:
    german = {"prompt": "Wie kann ich mein Passwort zurücksetzen, bitte?", "completion": "Klicken Sie auf den Link."}
    english = {"prompt": "How can I reset my password, please?", "completion": "Click on the link that we sent you."}
    outcome = check(jsonl(german, english, {**english, "completion": "Ask your administrator for it."}), tmp_path / "a")
    profile = outcome.report.profile
    assert profile
    assert {count.name: count.train + count.test for count in profile.languages} == {"en": 2, "de": 1}
    assert profile.sampled == 3


def test_rows_that_cannot_be_used_are_left_out_where_that_is_wanted(tmp_path: Path) -> None:
    content = pairs(10) + b"{broken\n" + jsonl({"prompt": "q"})
    outcome = check(content, tmp_path / "a", options={"bad_rows": "leave_out"})
    assert (outcome.report.accepted, outcome.report.rows, outcome.report.problem_count) == (True, 10, 2)
    assert codes(outcome) == {"dataset:left_out": 2}
    assert [finding["kept"] for finding in outcome.findings] == [False, False]
    none = check(b'{"prompt": 1}\n' * 3, tmp_path / "b", options={"bad_rows": "leave_out"})
    assert none.report.problems[-1].code == "dataset:no_usable_rows"
