"""REST: evaluations, their rows, reviews, and judges."""

from rest_framework.routers import SimpleRouter

from evaluations.judges.api import JudgeViewSet
from evaluations.reviews.api import ReviewedEvaluationViewSet, ReviewViewSet

router = SimpleRouter()
router.register("evaluations", ReviewedEvaluationViewSet, basename="evaluation")
router.register("reviews", ReviewViewSet, basename="review")
router.register("judges", JudgeViewSet, basename="judge")
