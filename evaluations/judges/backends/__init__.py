"""Judges by alias: `judges["default"]`."""

from evaluations.aliases import Aliases
from evaluations.judges.backends.base import Judge

judges: Aliases[Judge] = Aliases("JUDGES")
