"""Makes the toy kind known to a worker of its own process."""

from jobs.kinds import register
from tests.jobs.conftest import ToyKind

register(ToyKind())
