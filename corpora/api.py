"""REST routes of datasets and dataset versions."""

from rest_framework.routers import SimpleRouter

from corpora.datasets.api import DatasetViewSet
from corpora.versions.api import DatasetVersionViewSet

router = SimpleRouter()
router.register("datasets", DatasetViewSet, basename="dataset")
router.register("dataset-versions", DatasetVersionViewSet, basename="dataset-version")
