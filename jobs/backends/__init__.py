"""Compute backends: `compute["default"]`."""

from jobs.aliases import Aliases
from jobs.backends.base import ComputeBackend

compute: Aliases[ComputeBackend] = Aliases("COMPUTE")
