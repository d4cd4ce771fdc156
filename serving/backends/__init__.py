"""Endpoint backends: `endpoints["default"]`."""

from jobs.aliases import Aliases
from serving.backends.base import EndpointBackend

endpoints: Aliases[EndpointBackend] = Aliases("ENDPOINTS")
