"""Tables of evaluations, by noun."""

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
from evaluations.models.licences import FrozenRow, Licence, LicenceChange, LicenceState, Rejudging
from evaluations.models.reviews import Review
from evaluations.models.runs import Answer, EvaluatedModel, EvaluationItem, EvaluationRun, EvaluationState, ModelKind

__all__ = [
    "Answer",
    "CallPurpose",
    "EvaluatedModel",
    "EvaluationItem",
    "EvaluationRun",
    "EvaluationState",
    "FrozenRow",
    "Grade",
    "Judge",
    "JudgeKind",
    "JudgeUsage",
    "Judging",
    "JudgingState",
    "Licence",
    "LicenceChange",
    "LicenceState",
    "ModelKind",
    "PaidTo",
    "Qualification",
    "QualificationState",
    "Rejudging",
    "Review",
    "Rubric",
    "RubricVersion",
    "Verdict",
]
