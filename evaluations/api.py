"""REST: evaluations, their rows, reviews, judges and rubrics."""

from rest_framework.routers import SimpleRouter

from evaluations.licences.api import LicenceViewSet
from evaluations.qualification.api import QualifiedJudgeViewSet
from evaluations.reviews.api import ReviewedEvaluationViewSet, ReviewViewSet
from evaluations.rubrics.api import RubricViewSet
from evaluations.runs.judgings.api import JudgingViewSet

router = SimpleRouter()
router.register("evaluations", ReviewedEvaluationViewSet, basename="evaluation")
router.register("reviews", ReviewViewSet, basename="review")
router.register("judgings", JudgingViewSet, basename="judging")
router.register("judges", QualifiedJudgeViewSet, basename="judge")
router.register("rubrics", RubricViewSet, basename="rubric")
router.register("licences", LicenceViewSet, basename="licence")
