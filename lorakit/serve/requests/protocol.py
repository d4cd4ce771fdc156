"""The requests of OpenAI's API that are accepted."""

from dataclasses import dataclass, field
from typing import Any

from lorakit.rows import Message, Tool
from lorakit.serve.requests import options
from lorakit.serve.requests.errors import ApiError, invalid
from lorakit.serve.requests.guides import Form
from lorakit.serve.requests.messages import parse_messages, parse_tools
from lorakit.serve.steps.sequences import Sampling
from lorakit.strict_json import read_json

READ = frozenset(
    {
        "choices",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "min_p",
        "model",
        "n",
        "presence_penalty",
        "repetition_penalty",
        "response_format",
        "seed",
        "stop",
        "stream",
        "stream_options",
        "structured_outputs",
        "temperature",
        "top_k",
        "top_p",
    }
)
OF_CHAT = frozenset({"messages", "tool_choice", "tools", "top_logprobs"})
WITHOUT_EFFECT = frozenset(
    {
        "metadata",
        "parallel_tool_calls",
        "prompt_cache_key",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "store",
        "user",
    }
)
"""Members of OpenAI's requests that say nothing about the answer."""

NEUTRAL = {"best_of": 1, "echo": False, "functions": [], "suffix": "", "function_call": "none"}
"""Options that would change the answer, each with the only accepted value, which has no effect."""


@dataclass(frozen=True)
class Ask:
    """A checked request; exactly one of `messages` and `prompt` is set, and `tools` only with messages.

    `alternatives` is how many other tokens are wanted beside each one, None if no log-probabilities are. With
    `choices`, the answer is the most likely of these texts.
    """

    model: str
    messages: list[Message] | None
    prompt: str | None
    max_tokens: int | None
    sampling: Sampling
    stop: list[str] = field(default_factory=list)
    tools: list[Tool] = field(default_factory=list)
    answers: int = 1
    alternatives: int | None = None
    form: Form | None = None
    choices: list[str] = field(default_factory=list)
    stream: bool = False
    include_usage: bool = False
    continuous_usage: bool = False


def parse_ask(body: bytes, *, chat: bool, vocabulary: int) -> Ask:
    """Parse and check the body of a completion request. Raises `ApiError`. `vocabulary` is the number of token ids."""
    try:
        data = read_json(body)
    except ValueError:
        raise ApiError(400, "The body is not valid JSON.", "invalid_json") from None
    if not isinstance(data, dict):
        raise ApiError(400, "The body must be a JSON object.", "invalid_json")
    model = data.get("model")
    if not isinstance(model, str) or not model:
        raise invalid("model", "this must be the name of a model.")
    for name, neutral in (NEUTRAL if chat else NEUTRAL | {"tools": []}).items():
        if data.get(name) not in (None, neutral):
            raise ApiError(400, f"{name} is not supported by this server.", "unsupported_parameter", name)
    own = OF_CHAT if chat else frozenset({"prompt", "tools"})
    options.refuse_unknown(data, READ | WITHOUT_EFFECT | NEUTRAL.keys() | own)
    streaming = data.get("stream_options") or {}
    if not isinstance(streaming, dict):
        raise invalid("stream_options", "this must be an object.")
    ask = Ask(
        model=model,
        messages=parse_messages(data.get("messages")) if chat else None,
        prompt=None if chat else options.prompt(data.get("prompt")),
        max_tokens=options.limit(data, None if chat else 16),
        sampling=options.sampling(data, vocabulary),
        stop=options.stop(data.get("stop")),
        tools=parse_tools(data) if chat else [],
        answers=options.integer(data, "n", 1, options.MAX_ANSWERS) or 1,
        alternatives=options.alternatives(data, chat=chat),
        form=options.form(data),
        choices=options.choices(data),
        stream=data.get("stream") is True,
        include_usage=streaming.get("include_usage") is True,
        continuous_usage=streaming.get("continuous_usage_stats") is True,
    )
    check_choices(ask, data)
    return ask


def check_choices(ask: Ask, data: dict[str, Any]) -> None:
    """Refuse what has no meaning where the answer is one of several texts."""
    if not ask.choices:
        return
    meaningless = {
        "n": ask.answers > 1,
        "logprobs": ask.alternatives is not None,
        "response_format": data.get("response_format") is not None and ask.form is not None,
        "structured_outputs": data.get("structured_outputs") is not None,
        "stream": ask.stream,
        "stop": bool(ask.stop),
    }
    for name, is_asked in meaningless.items():
        if is_asked:
            raise invalid(name, "leave this out where there are `choices`.")
