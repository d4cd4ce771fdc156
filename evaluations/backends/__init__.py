"""Judges by alias: `judges["default"]`."""

from evaluations.aliases import Aliases
from evaluations.backends.base import Judge

judges: Aliases[Judge] = Aliases("JUDGES")
