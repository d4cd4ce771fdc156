"""Small chat templates after the shapes that base models have, and a tokenizer that knows their marks."""

from pathlib import Path

from transformers import PreTrainedTokenizerFast

from lorakit.base import load_tokenizer

MARKS = [
    "<|im_start|>",
    "<|im_end|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
    "<|begin_of_text|>",
    "<s>",
    "</s>",
]

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
"""A newline behind the end token."""

HEADERS = (
    "{{ '<|begin_of_text|>' }}"
    "{% for message in messages %}"
    "{{ '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' + message.content | trim + '<|eot_id|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"
)
"""As Llama 3: a text that begins with BOS, headers, and content without white space around it."""

BOS_AND_EOS = (
    "{{ '<s>' }}"
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}{{ '[Q] ' + message['content'] + ' [/Q]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' ' + message['content'] + '</s>' }}"
    "{% else %}{{ raise_exception('Only questions and answers, please.') }}{% endif %}"
    "{% endfor %}"
)
"""As Mistral: BOS once, EOS behind each answer, and no mark where an answer begins."""

FORGETFUL = (
    "{% set last = namespace(question=0) %}"
    "{% for message in messages %}"
    "{% if message.role == 'user' %}{% set last.question = loop.index0 %}{% endif %}"
    "{% endfor %}"
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message.role + '\\n' }}"
    "{% if message.reasoning_content is defined and loop.index0 > last.question %}"
    "{{ '<think>' + message.reasoning_content + '</think>' }}"
    "{% endif %}"
    "{{ message.content + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
"""As Qwen 3: reasoning only after the last question, so an earlier turn changes when another follows."""

TOOLS = (
    "{% if tools %}"
    "{{ '<|im_start|>system\\nTools: ' + tools | map(attribute='function') | list | tojson + '<|im_end|>\\n' }}"
    "{% endif %}"
    "{% for message in messages %}"
    "{% set role = 'tool result' if message.role == 'tool' else message.role %}"
    "{{ '<|im_start|>' + role + '\\n' + message.content }}"
    "{% for call in message.tool_calls or [] %}"
    "{{ '[call] ' + call.function.name }}"
    "{% for name, value in call.function.arguments.items() %}{{ ' ' + name + '=' + value | string }}{% endfor %}"
    "{% endfor %}"
    "{{ '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)

OPENED_BY_PROMPT = CHATML.replace("assistant\\n' }}{% endif %}", "assistant\\n<think>' }}{% endif %}")
"""As some reasoning models: the prompt opens a thought that the finished turn no longer has."""

NO_END = (
    "{% for message in messages %}{{ message.role + ': ' + message.content + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}"
)
"""Without any special token: the new line is what ends a turn."""


def tokenizer_with(base: Path, template: str | None = None) -> PreTrainedTokenizerFast:
    """The tiny base's tokenizer with another template; None keeps its own."""
    tokenizer = load_tokenizer(base)
    if template is not None:
        tokenizer.add_special_tokens({"extra_special_tokens": MARKS})
        tokenizer.chat_template = template
    return tokenizer
