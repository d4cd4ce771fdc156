"""REST: evaluations, their rows, reviews, judges and rubrics."""

from rest_framework.routers import SimpleRouter

from evaluations.agreement.api import AgreementViewSet
from evaluations.alignment.api import AlignmentViewSet
from evaluations.gates.api import DecisionViewSet, GatePolicyViewSet
from evaluations.licences.api import LicenceViewSet
from evaluations.qualification.api import QualifiedJudgeViewSet
from evaluations.reviews.api import ReviewItemViewSet, ReviewRoundViewSet, ReviewViewSet
from evaluations.rubrics.api import RubricViewSet
from evaluations.runs.api import EvaluationViewSet
from evaluations.runs.judgings.api import JudgingViewSet

router = SimpleRouter()
router.register("evaluations", EvaluationViewSet, basename="evaluation")
router.register("reviews", ReviewViewSet, basename="review")
router.register("review-rounds", ReviewRoundViewSet, basename="review-round")
router.register("review-items", ReviewItemViewSet, basename="review-item")
router.register("judgings", JudgingViewSet, basename="judging")
router.register("judges", QualifiedJudgeViewSet, basename="judge")
router.register("rubrics", RubricViewSet, basename="rubric")
router.register("decisions", DecisionViewSet, basename="decision")
router.register("gate-policies", GatePolicyViewSet, basename="gate-policy")
router.register("licences", LicenceViewSet, basename="licence")
router.register("alignments", AlignmentViewSet, basename="alignment")
router.register("agreement", AgreementViewSet, basename="agreement")
