"""Renders a chat template from its text alone, without a tokenizer or transformers."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from jinja2 import Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from lorakit.chat_templates import GENERATION

SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
CANNOT_RENDER = (TemplateError, TypeError, ValueError, LookupError, AttributeError)
"""What a template raises that refuses a conversation, or is none."""


@lru_cache(maxsize=16)
def rewrites_earlier_turns(template: str, *, reasoning: bool) -> bool:
    """Whether a turn reads otherwise once another question follows, in a conversation with or without reasoning.

    A training then makes an example of each answer, as `lorakit.train.examples` says. False for a template that cannot
    be tried.
    """
    messages = [*_asked_and_answered("One?", "First.", reasoning), *_asked_and_answered("Two?", "Second.", reasoning)]
    try:
        whole = render(template, messages)
        return not all(_is_answer_in(template, messages, index, whole) for index in (1, 3))
    except CANNOT_RENDER:
        return False


def _asked_and_answered(question: str, answer: str, reasoning: bool) -> list[dict[str, str]]:
    # transformers passes reasoning under both names.
    thought = {"reasoning_content": "Hm.", "thinking": "Hm."} if reasoning else {}
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer, **thought}]


def _is_answer_in(template: str, messages: list[dict[str, str]], index: int, whole: str) -> bool:
    prompt = render(template, messages[:index], add_generation_prompt=True)
    return whole.startswith(prompt) and whole.startswith(render(template, messages[: index + 1]))


def render(
    template: str, messages: Sequence[Mapping[str, Any]], *, tools: Any = None, add_generation_prompt: bool = False
) -> str:
    """As transformers renders it, with other special tokens around the whole. Raises an error of CANNOT_RENDER."""
    compiled = _compiled(template)
    return compiled.render(messages=messages, tools=tools, add_generation_prompt=add_generation_prompt, **SPECIAL)


@lru_cache(maxsize=16)
def _compiled(template: str) -> Template:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = _to_json
    environment.globals |= {"raise_exception": _refuse, "strftime_now": lambda form: datetime.now().strftime(form)}
    return environment.from_string(GENERATION.sub("", template))


def _refuse(text: str) -> None:
    raise TemplateError(text)


def _to_json(value: Any, **options: Any) -> str:
    return json.dumps(value, **{"ensure_ascii": False, **options})
