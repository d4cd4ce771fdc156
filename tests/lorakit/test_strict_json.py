"""Every value that is read can be written again, and is what the standard library reads too."""

import json

import hypothesis
import pytest
from hypothesis import strategies as st

from lorakit.strict_json import MAX_CONTAINERS, MAX_DEPTH, is_deeper, read_json
from tests.examples import examples

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
)


@hypothesis.settings(max_examples=examples(300), deadline=None)
@hypothesis.given(VALUES)
def test_what_is_read_is_json(value: object) -> None:
    text = json.dumps(value).encode()
    try:
        read = read_json(text)
    except ValueError:
        # NaN, an infinity or a lone surrogate, none of which can be written as strict UTF-8 JSON.
        with pytest.raises(ValueError):  # noqa: PT011 - UnicodeEncodeError is one
            json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    else:
        assert read == value


def test_depth_and_number_of_containers_are_bounded() -> None:
    assert read_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    for text in (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), b"[" * 90_000 + b"]" * 90_000):
        with pytest.raises(ValueError, match="deeply"):
            read_json(text)
    with pytest.raises(ValueError, match="many"):
        read_json(b"[" + b"{}," * MAX_CONTAINERS + b"{}]")
    assert not is_deeper(1, 0)
    assert is_deeper([], 0)
    assert not is_deeper({"a": [1, {}]}, 3)
    assert is_deeper({"a": [1, {}]}, 2)
