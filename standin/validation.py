"""Checks a request against AWS's service model as strictly as the service does.

botocore checks required members, types and minima before sending, but not maximum lengths and values, patterns or
enumerations. All of these are checked here.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
import regex
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StringShape, StructureShape

from standin.errors import invalid

PYTHON_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "structure": dict,
    "map": dict,
    "list": list,
}


@cache
def service_model(service: str = "sagemaker") -> ServiceModel:
    """The service model that botocore ships."""
    return botocore.session.get_session().get_service_model(service)


def check_request(operation: str, request: dict[str, Any], *, service: str = "sagemaker") -> None:
    """Raise AWS's error for a request that violates the service model, naming every violation."""
    shape = service_model(service).operation_model(operation).input_shape
    problems = list(violations(shape, request, "")) if shape is not None else []
    if problems:
        found = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
        raise invalid(found + "; ".join(problems))


def violations(shape: Shape, value: Any, path: str) -> Iterator[str]:
    """Every violation of a shape by a value."""
    if getattr(shape, "is_document_type", False):
        # Any JSON.
        return
    wanted = PYTHON_TYPES.get(shape.type_name)
    if wanted is not None and (not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool)):
        yield f"Value at '{path}' failed to satisfy constraint: Member must be a {shape.type_name}"
        return
    yield from _bounds(shape, value, path)
    if isinstance(shape, StructureShape):
        yield from _members(shape, value, path)
    elif isinstance(shape, ListShape):
        for index, item in enumerate(value, 1):
            yield from violations(shape.member, item, f"{path}.{index}.member")
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            yield from violations(shape.key, key, f"{path}.{key[:20]}.key")
            yield from violations(shape.value, item, f"{path}.{key[:20]}.value")
    elif isinstance(shape, StringShape):
        yield from _text(shape, value, path)


def _members(shape: StructureShape, value: dict[str, Any], path: str) -> Iterator[str]:
    for name in shape.required_members:
        if name not in value:
            yield f"Value at '{_join(path, name)}' failed to satisfy constraint: Member must not be null"
    for name, item in value.items():
        if name not in shape.members:
            yield f"Value at '{_join(path, name)}' is not a member of {shape.name}"
        else:
            yield from violations(shape.members[name], item, _join(path, name))


def _bounds(shape: Shape, value: Any, path: str) -> Iterator[str]:
    size = value if isinstance(value, int | float) else len(value) if hasattr(value, "__len__") else None
    what = "value" if isinstance(value, int | float) else "length"
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if size is None or isinstance(value, bool):
        return
    failed = f"Value at '{path}' failed to satisfy constraint: Member must have {what}"
    if least is not None and size < least:
        yield f"{failed} greater than or equal to {least}"
    if most is not None and size > most:
        yield f"{failed} less than or equal to {most}"


def _text(shape: StringShape, value: str, path: str) -> Iterator[str]:
    if shape.enum and value not in shape.enum:
        yield f"Value '{value[:60]}' at '{path}' failed to satisfy constraint: Member must satisfy enum value set"
    pattern = shape.metadata.get("pattern")
    if pattern and not regex.fullmatch(_readable(pattern), value):
        yield (
            f"Value '{value[:60]}' at '{path}' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {pattern}"
        )


def _readable(pattern: str) -> str:
    """The pattern without what only AWS's engine can read."""
    # Application Auto Scaling writes the characters above U+FFFF as the halves that UTF-16 makes of them.
    pattern = pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
    # A few have an invalid repetition after their end: "$" and "{1,128}".
    return pattern.split(")${")[0] + ")" if ")${" in pattern else pattern


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
