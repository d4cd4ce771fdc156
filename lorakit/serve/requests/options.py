"""Reads the options of a request. Each function raises `ApiError` naming the option that it refuses."""

import re
from typing import Any

from lorakit.serve.requests.errors import ApiError, invalid
from lorakit.serve.requests.guides import Form, schema_form
from lorakit.serve.steps.sequences import Sampling

MAX_ANSWERS = 8
MAX_ALTERNATIVES = {True: 20, False: 5}
"""Alternatives of each token for a chat and for a completion, as in OpenAI's API."""

MAX_CHOICES = 128
MAX_BIASES = 1024


def integer(data: dict[str, Any], name: str, low: int, high: int) -> int | None:
    """A whole number within bounds, or None if it is missing."""
    value = data.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise invalid(name, f"this must be a whole number from {low} to {high}.")
    return value


def number(data: dict[str, Any], name: str, low: float, high: float, default: float) -> float:
    """A number within bounds."""
    value = data.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise invalid(name, f"this must be a number from {low:g} to {high:g}.")
    return float(value)


def sampling(data: dict[str, Any], vocabulary: int) -> Sampling:
    """How tokens are chosen, with OpenAI's defaults. `vocabulary` is the number of token ids."""
    return Sampling(
        temperature=number(data, "temperature", 0, 2, 1.0),
        top_p=number(data, "top_p", 0, 1, 1.0),
        top_k=max(0, integer(data, "top_k", -1, vocabulary) or 0),
        min_p=number(data, "min_p", 0, 1, 0.0),
        seed=integer(data, "seed", -(2**63), 2**63 - 1),
        frequency_penalty=number(data, "frequency_penalty", -2, 2, 0.0),
        presence_penalty=number(data, "presence_penalty", -2, 2, 0.0),
        repetition_penalty=number(data, "repetition_penalty", 0.01, 10, 1.0),
        logit_bias=biases(data.get("logit_bias"), vocabulary),
    )


def biases(value: Any, vocabulary: int) -> dict[int, float]:
    """Biases by token id."""
    if value is None:
        return {}
    if not isinstance(value, dict) or len(value) > MAX_BIASES:
        raise invalid("logit_bias", f"this must be an object with at most {MAX_BIASES} token ids.")
    found = {}
    for token, bias in value.items():
        if not re.fullmatch(r"[0-9]{1,9}", token) or int(token) >= vocabulary:
            raise invalid("logit_bias", f"its names must be token ids from 0 to {vocabulary - 1}.")
        if isinstance(bias, bool) or not isinstance(bias, int | float) or not -100 <= bias <= 100:
            raise invalid("logit_bias", "its values must be numbers from -100 to 100.")
        found[int(token)] = float(bias)
    return found


def limit(data: dict[str, Any], default: int | None) -> int | None:
    """The maximum number of tokens of the answer, under either of its names."""
    name = "max_tokens" if data.get("max_completion_tokens") is None else "max_completion_tokens"
    found = integer(data, name, 1, 1_000_000)
    return default if found is None else found


def prompt(value: Any) -> str:
    """A text prompt."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str) or not value:
        raise invalid("prompt", "this must be a string.")
    return value


def stop(value: Any) -> list[str]:
    """Up to four stop strings."""
    marks = [value] if isinstance(value, str) else value or []
    if not isinstance(marks, list) or len(marks) > 4 or not all(isinstance(m, str) and m for m in marks):
        raise invalid("stop", "this must be a string or a list of up to four strings.")
    return marks


def alternatives(data: dict[str, Any], *, chat: bool) -> int | None:
    """How many alternatives of each token are wanted with its log-probability; None if not even that."""
    highest = MAX_ALTERNATIVES[chat]
    if not chat:
        return None if data.get("logprobs") is False else integer(data, "logprobs", 0, highest)
    wanted = data.get("logprobs")
    if not isinstance(wanted, bool | None):
        raise invalid("logprobs", "this must be true or false.")
    top = integer(data, "top_logprobs", 0, highest)
    if top and not wanted:
        raise invalid("top_logprobs", "this needs `logprobs` to be true.")
    return (top or 0) if wanted else None


def form(data: dict[str, Any]) -> Form | None:
    """What the answer has to be, from OpenAI's `response_format` or vLLM's `structured_outputs`."""
    asked = [name for name in ("response_format", "structured_outputs") if data.get(name) is not None]
    if asked == ["response_format", "structured_outputs"]:
        raise invalid("structured_outputs", "leave this out where there is a `response_format`.")
    if not asked:
        return None
    return _response_format(data["response_format"]) if asked[0] == "response_format" else _structured(data[asked[0]])


def _response_format(value: Any) -> Form | None:
    param = "response_format"
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "text":
        return None
    if kind == "json_object":
        return schema_form({"type": "object"}, param)
    if kind == "json_schema":
        wrapped = value.get("json_schema")
        schema = wrapped.get("schema") if isinstance(wrapped, dict) else None
        if not isinstance(schema, dict):
            raise invalid(param, "`json_schema` must be an object with a `schema`.")
        return schema_form(schema, param)
    raise invalid(param, "`type` must be text, json_object or json_schema.")


def _structured(value: Any) -> Form:
    param = "structured_outputs"
    known = {"json", "regex", "choice"}
    if not isinstance(value, dict) or len(value) != 1 or not value.keys() <= known:
        raise invalid(param, "this must be an object with one of json, regex and choice.")
    [(kind, wanted)] = value.items()
    if kind == "regex":
        if not isinstance(wanted, str) or not wanted:
            raise invalid(param, "`regex` must be a string.")
        return Form("regex", wanted, param)
    if kind == "choice":
        return Form("regex", "|".join(re.escape(choice) for choice in _choices(wanted, param)), param)
    if not isinstance(wanted, dict):
        raise invalid(param, "`json` must be a JSON schema.")
    return schema_form(wanted, param)


def choices(data: dict[str, Any]) -> list[str]:
    """The texts of which the answer is the most likely one; empty if the answer is free."""
    value = data.get("choices")
    return [] if value is None else _choices(value, "choices")


def _choices(value: Any, param: str) -> list[str]:
    texts = value if isinstance(value, list) else []
    if not 2 <= len(texts) <= MAX_CHOICES or not all(isinstance(text, str) and text for text in texts):
        raise invalid(param, f"this must be a list of 2 to {MAX_CHOICES} texts.")
    if len({*texts}) != len(texts):
        raise invalid(param, "no text may occur twice.")
    return texts


def refuse_unknown(data: dict[str, Any], known: frozenset[str]) -> None:
    """Refuse what this server would have to ignore, although it might change the answer."""
    for name, value in data.items():
        if name not in known and value is not None:
            hint = " Use `structured_outputs` or `response_format`." if name.startswith("guided_") else ""
            text = f"{name[:80]} is not supported by this server.{hint}"
            raise ApiError(400, text, "unsupported_parameter", name[:80])
