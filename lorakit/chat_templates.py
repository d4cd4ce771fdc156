"""What a chat template reads, told from its text alone, so that it can be asked without a tokenizer."""

import re
from collections.abc import Iterator
from functools import lru_cache

from jinja2 import Environment, meta, nodes

GENERATION = re.compile(r"\{%[-+]?\s*(end)?generation\s*[-+]?%\}")
"""Marks of transformers that only its own environment can parse."""

TOOLS = frozenset({"tools", "tool_calls", "tool turns"})
REASONING = frozenset({"reasoning"})

REASONING_NAMES = {"reasoning_content", "thinking"}
"""transformers passes a turn's reasoning under both names."""


@lru_cache(maxsize=8)
def read_by(template: str) -> frozenset[str]:
    """What of TOOLS and REASONING a template reads. Raises jinja2.TemplateError for what is no template."""
    tree = Environment(extensions=["jinja2.ext.loopcontrols"], autoescape=False).parse(GENERATION.sub("", template))  # noqa: S701 - it is parsed, never rendered
    names = set(_names(tree))
    read = {"tools"} & meta.find_undeclared_variables(tree)
    if "tool_calls" in names:
        read.add("tool_calls")
    if "tool" in names:
        read.add("tool turns")
    if names & REASONING_NAMES:
        read.add("reasoning")
    return frozenset(read)


def _names(tree: nodes.Template) -> Iterator[str]:
    """Every attribute (`message.tool_calls`) and every text (`message['tool_calls']`, `role == 'tool'`)."""
    for attribute in tree.find_all(nodes.Getattr):
        yield attribute.attr
    for constant in tree.find_all(nodes.Const):
        if isinstance(constant.value, str):
            yield constant.value
