"""The kinds of condition, by name. A new one gets a file here and a line below."""

from lorakit.gates.conditions.agreement import ExpertAgreement
from lorakit.gates.conditions.approvals import Approvals
from lorakit.gates.conditions.base import Condition
from lorakit.gates.conditions.experts import ExpertVerdicts
from lorakit.gates.conditions.judge import JudgeScore
from lorakit.gates.conditions.leakage import Leakage
from lorakit.gates.conditions.licence import LicensedJudge
from lorakit.gates.conditions.limits import Cost, Latency
from lorakit.gates.conditions.metric import MetricDifference
from lorakit.gates.conditions.severe import SevereLosses

KINDS: dict[str, type[Condition]] = {
    kind.kind: kind
    for kind in (
        MetricDifference,
        JudgeScore,
        ExpertVerdicts,
        SevereLosses,
        ExpertAgreement,
        LicensedJudge,
        Leakage,
        Latency,
        Cost,
        Approvals,
    )
}

__all__ = ["KINDS", "Condition"]
