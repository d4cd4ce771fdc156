"""Which version's answers judges find better: pairs of answers to the same requests, in both orders."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any
from uuid import UUID

from evaluations.judges.prompts import Criterion
from evaluations.judging.jurors import JuryUnusable, jury_of
from evaluations.judging.plan import Plan, Row
from evaluations.judging.results import results
from evaluations.judging.steps import advance
from evaluations.judging.summary import Tally
from evaluations.models import RubricVersion
from evaluations.rubrics.document import RubricDocument, Weighted, parsed
from lorakit.stats.evidence import evidence
from serving.models import Trial, TrialCopy

CANDIDATE, LIVE = "candidate", "live"
PAIR = (CANDIDATE, LIVE)

BETTER = Criterion(
    name="Better answer",
    description="Which answer does what was asked, correctly, completely and without anything made up? Nobody knows "
    "the expected answer, so it is left empty.",
    anchors={
        1: "Wrong, empty, or not about the question.",
        3: "Right in the main, but something is missing or made up.",
        5: "Right and complete, in a form that can be used as it is.",
    },
)
BY_ITSELF = RubricDocument(name=BETTER.name, instructions="", criteria=(Weighted(criterion=BETTER),))
"""Where no rubric was chosen. Requests of callers have no expected answers."""


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Of the `judged` pairs, how many the candidate's answer won. `low` to `high` is the win rate's 95% interval.

    `evidence` is that callers get worse answers, from the first pair of each; `why` says what keeps judges from it.
    """

    pairs: int = 0
    judged: int = 0
    wins: int = 0
    ties: int = 0
    losses: int = 0
    low: float | None = None
    high: float | None = None
    evidence: float = 1.0
    why: str = ""


def quality_of(trial: Trial) -> Quality | None:
    """As of the last step; None where nobody compares."""
    if not trial.judging:
        return None
    return Quality(**trial.judging.get("quality", {}))


def judge_copies(trial: Trial) -> bool:
    """Ask the judges about copies for some seconds; False while some wait to be compared. Called outside a transaction.

    Raises JuryUnusable.
    """
    jury, plan = jury_of(trial.judging["judges"]), _plan(trial)
    count = trial.copies.filter(error_code="").count()
    state = trial.judging.get("state", {})
    if count == trial.judging.get("count") and all(standing["over"] for standing in state.values()):
        return True
    if count > trial.judging.get("count", 0):
        # Judges that had seen all there were go on with the new ones.
        state = {juror: {**standing, "over": False, "passes": 0} for juror, standing in state.items()}
    stage = advance(jury, plan, partial(_rows, trial), state, total=count)
    tally, seen, harm = Tally(plan), set(), []
    for result in results(jury, plan, _rows(trial)):
        tally.add(result)
        outcome = result.preferences[PAIR].outcome
        if outcome is not None and result.row.prompt_key not in seen:
            seen.add(result.row.prompt_key)
            harm.append(-float(outcome))
    [pair] = tally.summary().pairs
    quality = Quality(
        pairs=count,
        judged=pair.judged,
        wins=pair.wins,
        ties=pair.ties,
        losses=pair.losses,
        low=pair.low,
        high=pair.high,
        evidence=evidence(harm, risk=1.0),
        why=stage.waits_for,
    )
    trial.judging = {**trial.judging, "state": stage.state, "count": count, "quality": asdict(quality)}
    trial.save(update_fields=["judging"])
    return stage.over


def _plan(trial: Trial) -> Plan:
    wanted: Mapping[str, Any] = trial.judging
    rubric = BY_ITSELF
    if wanted.get("rubric_version"):
        version = RubricVersion.objects.select_related("rubric").filter(id=UUID(wanted["rubric_version"])).first()
        if version is None:
            raise JuryUnusable(
                "The rubric that answers are compared by no longer exists. Start again with another one."
            )
        rubric = parsed({**version.document, "name": version.rubric.name})
    return Plan(rubric=rubric, pairs=(PAIR,), grades=False)


def _rows(trial: Trial, start: int = 0) -> Iterator[Row]:
    """A caller has one copy, and is the unit; in a shadow, those with the same messages are."""
    for copy in TrialCopy.objects.filter(trial=trial, error_code="")[start:].iterator(chunk_size=100):
        yield Row(
            id=str(copy.id),
            messages=copy.messages,
            reference="",
            answers={CANDIDATE: copy.candidate_text, LIVE: copy.live_text},
            prompt="" if trial.is_shadow else copy.caller,
        )
