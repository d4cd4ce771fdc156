"""REST: base models, adapters and their versions; and the routes of everything in this app."""

from rest_framework.routers import SimpleRouter

from adapters.offers.api import BaseModelViewSet
from adapters.sweeps.api import SweepViewSet
from adapters.training.api import TrainingRunViewSet
from adapters.versions.api import AdapterVersionViewSet, AdapterViewSet

router = SimpleRouter()
router.register("base-models", BaseModelViewSet, basename="base-model")
router.register("adapters", AdapterViewSet, basename="adapter")
router.register("adapter-versions", AdapterVersionViewSet, basename="adapter-version")
router.register("training-runs", TrainingRunViewSet, basename="training-run")
router.register("sweeps", SweepViewSet, basename="sweep")
