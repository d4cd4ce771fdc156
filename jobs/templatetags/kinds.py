"""Titles of kinds of job."""

from django import template

from jobs.kinds import title_of

register = template.Library()
register.filter("kind_title", title_of)
