"""Tags for the base template."""

from django import template
from django.template import Context
from django.template.loader_tags import BLOCK_CONTEXT_KEY

register = template.Library()


@register.simple_tag(takes_context=True)
def repeat_block(context: Context, name: str) -> str:
    """Repeat the text of a block: the heading is the title unless a page overrides it."""
    block = context.render_context[BLOCK_CONTEXT_KEY].get_block(name)
    return block.render(context) if block else ""
