"""REST: evaluations, their rows, and reviews."""

from rest_framework.routers import SimpleRouter

from evaluations.reviews.api import ReviewedEvaluationViewSet, ReviewViewSet

router = SimpleRouter()
router.register("evaluations", ReviewedEvaluationViewSet, basename="evaluation")
router.register("reviews", ReviewViewSet, basename="review")
