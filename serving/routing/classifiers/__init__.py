"""Classifiers of routers by alias: `classifiers["examples"]`."""

from jobs.aliases import Aliases
from serving.routing.classifiers.base import RouteClassifier

classifiers: Aliases[RouteClassifier] = Aliases("ROUTE_CLASSIFIERS")
