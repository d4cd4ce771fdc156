"""Tables of evaluations, by noun."""

from evaluations.models.judges import Judge, JudgeKind, Qualification, QualificationState, Rubric, RubricVersion
from evaluations.models.judgings import Grade, Judging, JudgingState, Verdict
from evaluations.models.reviews import Review
from evaluations.models.runs import Answer, EvaluatedModel, EvaluationItem, EvaluationRun, EvaluationState, ModelKind

__all__ = [
    "Answer",
    "EvaluatedModel",
    "EvaluationItem",
    "EvaluationRun",
    "EvaluationState",
    "Grade",
    "Judge",
    "JudgeKind",
    "Judging",
    "JudgingState",
    "ModelKind",
    "Qualification",
    "QualificationState",
    "Review",
    "Rubric",
    "RubricVersion",
    "Verdict",
]
