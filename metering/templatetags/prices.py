"""Prices in templates."""

from django import template

from metering.prices.texts import amount_text, per_unit, percent_text, rate_text, row_source_text

register = template.Library()
register.filter("percent_off", percent_text)
register.filter("rate", rate_text)
register.filter("row_source", row_source_text)
register.simple_tag(amount_text, name="amount")
register.simple_tag(per_unit, name="per_unit")
