"""Tables of evaluations, by noun."""

from evaluations.models.gates import CLEARED, Approval, Decision, DecisionState, GatePolicy
from evaluations.models.judges import (
    CallPurpose,
    Judge,
    JudgeKind,
    JudgeUsage,
    PaidTo,
    Qualification,
    QualificationState,
    Rubric,
    RubricVersion,
)
from evaluations.models.judgings import Grade, Judging, JudgingState, Verdict
from evaluations.models.reviews import Review
from evaluations.models.runs import Answer, EvaluatedModel, EvaluationItem, EvaluationRun, EvaluationState, ModelKind

__all__ = [
    "CLEARED",
    "Answer",
    "Approval",
    "CallPurpose",
    "Decision",
    "DecisionState",
    "EvaluatedModel",
    "EvaluationItem",
    "EvaluationRun",
    "EvaluationState",
    "GatePolicy",
    "Grade",
    "Judge",
    "JudgeKind",
    "JudgeUsage",
    "Judging",
    "JudgingState",
    "ModelKind",
    "PaidTo",
    "Qualification",
    "QualificationState",
    "Review",
    "Rubric",
    "RubricVersion",
    "Verdict",
]
