"""The options of an endpoint as fields of a form, and as facts."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django import forms

from serving.backends import endpoints
from serving.backends.base import PRICE, Option
from serving.endpoints.queries import usual_options
from serving.models import Endpoint

LARGEST = 2**31 - 1
LONGEST = 500


class WordsField(forms.CharField):
    """Several words in one line, such as addresses; a list to the form."""

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        return re.split(r"[\s,]+", text) if (text := super().to_python(value) or "") else []

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) or value is None else " ".join(value)


def field_of(option: Option, default: Any, value: Any) -> forms.Field:
    """The field of an option with the type of its `default`, filled in with `value`."""
    about: dict[str, Any] = {"label": option.title, "help_text": option.help, "initial": value}
    if option.choices:
        choices = sorted({*option.choices, value})
        kind: Callable[[Any], Any] = type(default)
        return forms.TypedChoiceField(choices=[(one, one) for one in choices], coerce=kind, **about)
    if isinstance(default, bool):
        return forms.BooleanField(required=False, **about)
    if isinstance(default, int):
        return forms.IntegerField(min_value=0, max_value=LARGEST, **about)
    if isinstance(default, float):
        return forms.FloatField(min_value=0, max_value=LARGEST, **about)
    words = WordsField if isinstance(default, tuple) else forms.CharField
    return words(required=False, max_length=LONGEST, **about)


def own_values(alias: str, cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """Of the values of a form, those that differ from what the alias gives: the others follow it when it changes."""
    usual = usual_options(alias)
    return {
        option.name: cleaned[option.name]
        for option in endpoints[alias].own
        if _plain(cleaned[option.name]) != _plain(usual[option.name])
    }


def facts_of(alias: str, options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(title, value) of what an endpoint with `options` of its own has, without prices."""
    values = {**usual_options(alias), **options}
    shown = (option for option in endpoints[alias].own if option not in PRICE)
    facts = ((option, values[option.name]) for option in shown)
    return [(option.title, _text(value)) for option, value in facts if value not in ("", (), [], option.unset)]


def slots_of(endpoint: Endpoint) -> int | None:
    """How many adapters it has room for in memory; None where its backend doesn't say."""
    slots = {**usual_options(endpoint.backend), **endpoint.options}.get("CPU_ADAPTERS")
    return slots if isinstance(slots, int) else None


def in_words(text: str, options: Iterable[Option]) -> str:
    """A refusal with the titles of options in place of their names."""
    titles = {option.name: f"“{option.title}”" for option in options}
    return re.sub(r"\b[A-Z][A-Z_]+\b", lambda found: titles.get(found[0], found[0]), text)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(value)
    return f"{value:,}" if isinstance(value, int | float) else str(value)
