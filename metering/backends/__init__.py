"""What watches endpoints from outside: `usage_sources["cloudwatch"]`, from the setting USAGE_SOURCES."""

from jobs.aliases import Aliases
from metering.backends.base import UsageSource

usage_sources: Aliases[UsageSource] = Aliases("USAGE_SOURCES")
