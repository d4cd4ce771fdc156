"""Judges by alias: `judges["default"]`."""

from evaluations.judges.backends.base import Judge
from jobs.aliases import Aliases

judges: Aliases[Judge] = Aliases("JUDGES")
