"""Personal data is found wherever it stands, none of it is left once it is masked, and the quick look misses none."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from corpora.ingest.contracts import Message
from corpora.ingest.formats.jsonl import parse_line
from corpora.ingest.rows import digest
from corpora.ingest.texts.personal import Suspects, find_personal_data, mask
from tests.examples import examples

PLANTED = {
    "email": ["ann@example.com", "a.b+c%d@sub.example.co.uk", "jörg_1@exa-mple.org", "é@example.de"],
    "phone": [
        "+49 30 1234567", "+1 (555) 123-4567", "+1 (555) 1234567", "0049 30 1234567", "004930 1234567",
        "0049(30)1234567", "+442071838750", "+33.1.23.45.67.89", "(030) 1234 5678", "030/1234 5678",
        "+4 (030) 123456", "555-123-4567",
    ],
    "card": [
        "4111 1111 1111 1111", "4111111111111111", "5500-0000-0000-0004", "378282246310005", "3782 822463 10005",
        "6304000000000000000",
    ],
    "iban": [
        "DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "GB82 WEST 1234 5698 7654 32", "BE68 5390 0754 7034",
        "NL91ABNA0417164300", "FR14 2004 1010 0505 0001 3M02 606",
    ],
    "secret": [
        "sk-abcdefghijklmnopqrstuvwx", "sk_live_abcdefghijklmnop1234", "AKIAIOSFODNN7EXAMPLE",
        f"ghp_{'a1' * 20}", f"github_pat_{'a1' * 12}", f"glpat-{'a1' * 11}", "xoxb-123456789012-abc",
        f"AIza{'b2' * 17}c", f"hf_{'q3' * 17}", "eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    ],
}  # fmt: skip
ALL = [(kind, text) for kind, texts in PLANTED.items() for text in texts]

planted = st.sampled_from(ALL)
prose = st.sampled_from(
    ["", "call ", "mail: ", "Größe, ", "«", "\n", "order 12 ", "paid 12/27, ", "BIC COBADEFF ", "2024-05-01 ", "🙂 "]
)
# The characters that the patterns are made of, so that whole hits come about by chance.
noise = st.text(st.sampled_from('0123456789+()-./ @aZé\\"٣_,\n'), max_size=24)
hits = st.one_of(planted.map(lambda item: item[1]), noise, noise, prose)
texts = st.lists(hits, min_size=1, max_size=6).map("".join) | st.lists(hits, min_size=1, max_size=6).map(" ".join)

MANY = settings(max_examples=examples(400), deadline=None)


@pytest.mark.parametrize(("kind", "text"), ALL)
@pytest.mark.parametrize("frame", ["{}", "It is {}.", "({})", "“{}”, and", "vor\n{}\nnach", "電話:{} です", "{} 12/27"])
def test_it_is_found_in_any_context(kind: str, text: str, frame: str) -> None:
    content = frame.format(text)
    found = find_personal_data(content)
    assert [hit.kind for hit in found] == [kind]
    # A bracket before a number may be taken along.
    assert found[0].start <= content.index(text) <= found[0].start + 1
    assert found[0].end >= content.index(text) + len(text)


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112", "0000 0000 0000 0000", "order 1234567890", "2024-05-01 12:30:00", "01.05.2024",
        "$1,234,567.89", "DE89 3704 0044 0532 0130 02", "ann at example dot com", "@mention", "sk-short",
        "version 1.2.3", "3.14159265358979", "pages 120-135", "https://example.com/123456789",
    ],
)  # fmt: skip
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert find_personal_data(f"See {text} here") == []


def test_a_card_after_another_number_is_found() -> None:
    content = "Ref 1234 4111 1111 1111 1111 12/27, then 4012 8888 8888 1881"
    assert mask(content, find_personal_data(content)) == "Ref 1234 [card] 12/27, then [card]"


def test_an_account_before_capitals_is_found() -> None:
    content = "BE68 5390 0754 7034 BIC KREDBEBB"
    assert mask(content, find_personal_data(content)) == "[iban] BIC KREDBEBB"


@MANY
@given(content=texts)
@example(content="ann@x.comann@x.com-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----ann@x.com")
def test_hits_are_apart_and_masking_again_changes_nothing(content: str) -> None:
    found = find_personal_data(content)
    assert all(one.end <= other.start for one, other in pairwise(found))
    masked = mask(content, found)
    assert find_personal_data(masked) == []


@MANY
@given(before=prose, item=planted, after=st.sampled_from([" thanks", ".", ", or", "\n", ""]))
def test_what_was_planted_is_gone_when_it_is_masked(before: str, item: tuple[str, str], after: str) -> None:
    content = before + item[1] + after
    masked = mask(content, find_personal_data(content))
    assert item[1] not in masked
    assert f"[{item[0]}]" in masked


def slashed(text: str) -> str:
    return json.dumps(text).replace("/", r"\/")


def escaped(text: str) -> str:
    return '"' + "".join(f"\\u{ord(character):04x}" for character in text) + '"'


def half_escaped(text: str) -> str:
    return '"' + "".join(
        f"\\u{ord(character):04X}" if index % 2 else json.dumps(character)[1:-1] for index, character in enumerate(text)
    ) + '"'  # fmt: skip


WRITERS: list[Any] = [json.dumps, lambda text: json.dumps(text, ensure_ascii=False), slashed, escaped, half_escaped]


def is_looked_at(written: str) -> bool:
    """Whether a row with this JSON text gets a closer look."""
    messages = [Message("user", parse_line(written.encode())), Message("assistant", "Thanks.")]
    return bool(Suspects().scan(digest(messages).conversation))


@settings(parent=MANY, max_examples=examples(1_000))
@given(content=texts, write=st.sampled_from(WRITERS))
def test_the_quick_look_misses_nothing_however_it_is_written(content: str, write: Any) -> None:
    assume(content.isascii() or write not in WRITERS[3:] or max(content) < "\U00010000")
    assert json.loads(write(content)) == content
    if find_personal_data(content):
        assert is_looked_at(write(content))


@pytest.mark.parametrize("text", [text for _, text in ALL])
@pytest.mark.parametrize("write", WRITERS)
def test_the_quick_look_sees_each_kind(text: str, write: Any) -> None:
    assert is_looked_at(write(text))


def test_the_quick_look_passes_plain_text() -> None:
    assert not is_looked_at(json.dumps("Order 12 was paid on 2024-05-01, thanks!"))
