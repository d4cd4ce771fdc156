"""The filters, orders and pages that SageMaker's lists share."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from standin.errors import invalid

Request = dict[str, Any]


class Listed(Protocol):
    """What every listed resource has. Times are Unix seconds."""

    @property
    def name(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def created_at(self) -> float: ...
    @property
    def modified_at(self) -> float: ...


KEYS: dict[str, Callable[[Listed], Any]] = {
    "CreationTime": lambda one: one.created_at,
    "Name": lambda one: one.name,
    "Status": lambda one: one.status,
}


def page(found: Iterable[Listed], request: Request, answer: str, summary: Callable[[Any], Request]) -> Request:
    """A list's response; `answer` names its summaries. Newest first, unless the request says otherwise."""
    times = ("CreationTime", "LastModifiedTime")
    kept = [
        one
        for one in found
        if request.get("NameContains", "") in one.name
        and request.get("StatusEquals", one.status) == one.status
        and all(
            request.get(f"{name}After", at) <= at <= request.get(f"{name}Before", at)
            for name, at in zip(times, (one.created_at, one.modified_at), strict=True)
        )
    ]
    descending = request.get("SortOrder", "Descending") == "Descending"
    kept.sort(key=KEYS[request.get("SortBy", "CreationTime")], reverse=descending)
    token, size = request.get("NextToken", "0"), int(request.get("MaxResults", 10))
    if not token.isdecimal():
        raise invalid("Invalid NextToken.")
    start = int(token)
    response: Request = {answer: [summary(one) for one in kept[start : start + size]]}
    return response | ({"NextToken": str(start + size)} if start + size < len(kept) else {})
