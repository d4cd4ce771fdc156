"""Canonical JSON is that of RFC 8785: values are from its appendix B and section 3.2.3, or what JavaScript writes."""

import json
import math
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lorakit.verify.jcs import canonical_json
from tests.examples import examples

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("bits", "written"),
    [
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("c340000000000000", "-9007199254740992"),
        ("4430000000000000", "295147905179352830000"),
        ("44b52d02c7e14af5", "9.999999999999997e+22"),
        ("44b52d02c7e14af6", "1e+23"),
        ("444b1ae4d6e2ef4e", "999999999999999700000"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555555", "333333333.3333333"),
        ("becbf647612f3696", "-0.0000033333333333333333"),
        ("43143ff3c1cb0959", "1424953923781206.2"),
    ],
)
def test_numbers(bits: str, written: str) -> None:
    [number] = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical_json(number).decode() == written


def test_whole_numbers_are_written_alike_however_they_came() -> None:
    assert canonical_json([0, 0.0, 7, 7.0, 2**60 + 1]) == b"[0,0,7,7,1152921504606847000]"


def test_names_are_in_the_order_of_their_utf_16() -> None:
    value = {"€": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "ö": 7}
    assert list(json.loads(canonical_json(value)).values()) == [2, 4, 6, 7, 1, 5, 3]


def test_texts_are_escaped_as_little_as_json_allows() -> None:
    assert canonical_json("€$\x0f\nA'B\"\\/\x7f").decode() == '"€$\\u000f\\nA\'B\\"\\\\/\x7f"'


@given(VALUES)
@settings(max_examples=examples(60), deadline=None)
def test_it_is_the_same_value_and_stays_the_same(value: Any) -> None:
    written = canonical_json(value)
    again = json.loads(written, parse_int=float)
    assert canonical_json(again) == written
    assert again == json.loads(json.dumps(value), parse_int=float, parse_float=float)


@pytest.mark.parametrize("value", [math.nan, math.inf, {1: 2}, {"a": b"b"}, "\ud800", 10**400])
def test_what_json_does_not_have_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"JSON has no|surrogates|too large"):
        canonical_json(value)
