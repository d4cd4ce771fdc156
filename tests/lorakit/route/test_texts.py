"""What of a request is looked at."""

from typing import Any

import pytest

from lorakit.route.texts import MOST_MESSAGES, texts_of


def said(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


def test_the_users_messages_newest_first() -> None:
    parts = [{"type": "text", "text": "See"}, {"type": "image_url", "image_url": {}}, {"type": "text", "text": "this"}]
    messages = [said("system", "s"), said("user", "one"), said("assistant", "a"), said("user", parts)]
    assert texts_of({"messages": messages}) == ["See\nthis", "one"]
    many = [said("user", str(number)) for number in range(MOST_MESSAGES + 5)]
    assert texts_of({"messages": many}) == [str(number) for number in range(MOST_MESSAGES + 4, 4, -1)]


@pytest.mark.parametrize(
    ("document", "texts"),
    [
        ({"prompt": "Total:"}, ["Total:"]),
        ({"prompt": ["a", "b"]}, ["a\nb"]),
        ({"prompt": [1, 2, 3]}, []),
        ({"prompt": {"text": "no"}}, []),
        ({}, []),
        ({"messages": "x", "prompt": "ignored"}, []),
        ({"messages": ["x", None, {"role": "user"}, {"role": ["user"], "content": "x"}]}, []),
        ({"messages": [{"role": "user", "content": [{"text": 7}, ["x"], "plain"]}]}, ["plain"]),
    ],
)
def test_strange_requests(document: dict[str, Any], texts: list[str]) -> None:
    assert texts_of(document) == texts
