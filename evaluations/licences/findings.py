"""From all that is known about a judge to the state of its licence, its reason in a sentence, and its figures. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from evaluations.agreement.labels import Label
from evaluations.licences.calibration import Calibration, calibrated, deviation
from evaluations.licences.terms import TERMS, Terms
from evaluations.models import LicenceState
from evaluations.qualification.figures import Figures
from lorakit.stats.against_experts import judge_bias
from lorakit.stats.agreement import gwet_ac
from lorakit.stats.transport import MOST_OUTSIDE, Audit, Transport, outside_labelled

LOWEST, HIGHEST = 1.0, 5.0
SCALE = (1.0, 2.0, 3.0, 4.0, 5.0)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One judge's newest test on the built-in questions; `figures` is None if it has none with enough verdicts."""

    judge: str
    figures: Figures | None


@dataclass(frozen=True, kw_only=True)
class Shift:
    """The frozen rows judged again: mean of the new grade less the old one."""

    day: str
    rows: int
    shift: float
    low: float
    high: float

    def beyond(self, margin: float) -> bool:
        """By at least the margin, and not by chance."""
        return abs(self.shift) >= margin and not self.low <= 0 <= self.high


@dataclass(frozen=True, kw_only=True)
class Known:
    """What an assessment is made of. `scores` are the judge's of every answer, by the name of what answered.

    `shift` is the largest one beyond the margin since the licence was begun, else the newest. `earlier` is the e-value
    that what an earlier version of judge or rubric was worth no longer holds; `replaces` says in words what changed.
    """

    tests: Sequence[Trial]
    labels: Sequence[Label]
    scores: Mapping[str, Sequence[float]] = field(default_factory=dict)
    shift: Shift | None = None
    was_licensed: bool = False
    replaces: str = ""
    earlier: float | None = None


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`needed` are about how many more labels would settle it; None where labels would not."""

    state: LicenceState
    reason: str
    figures: dict[str, Any]
    calibration: Calibration | None


def assessed(known: Known, *, seed: str, terms: Terms = TERMS) -> Finding:
    """The first condition that is not met decides. `seed` fixes what is simulated."""
    calibration = calibrated(known.labels, terms, seed=seed)
    figures = _figures(known, calibration, terms)
    state, reason = _verdict(known, calibration, figures, terms)
    if state is LicenceState.REFUSED and known.was_licensed:
        state = LicenceState.SUSPENDED
    if state is LicenceState.PROVISIONAL and known.replaces:
        reason = f"{known.replaces} {reason}"
    return Finding(state=state, reason=reason, figures=figures, calibration=calibration)


def whole(grade: float) -> float:
    """The nearest whole grade, halves upwards: what coefficients and tables are stated for."""
    return float(min(max(int(grade + 0.5), 1), 5))


def half(score: float) -> float:
    """The nearest half grade. Scores are compared with the labelled range in halves.

    Scores of a judge that gives probabilities hardly ever repeat, so that the fifth lowest of few labels would leave
    out a good part of any model's.
    """
    return round(2 * score) / 2


def _verdict(
    known: Known, calibration: Calibration | None, figures: Mapping[str, Any], terms: Terms
) -> tuple[LicenceState, str]:
    for test in known.tests:
        if test.figures is None:
            return (
                LicenceState.PROVISIONAL,
                f"“{test.judge}” has no complete test on the built-in questions. Trial it on the judge’s page.",
            )
        if failed := _failed_test(test.judge, test.figures, terms):
            return LicenceState.REFUSED, failed
    count = len(known.labels)
    if calibration is None:
        return (
            LicenceState.PROVISIONAL,
            f"Experts have graded {count} of the {terms.labels} random answers that are needed, by the same rubric.",
        )
    agreement = figures["agreement"]
    if agreement["value"] is None or agreement["value"] < terms.agreement:
        shown = "not defined" if agreement["value"] is None else f"{agreement['value']:.2f}"
        return (
            LicenceState.REFUSED,
            (
                f"Its agreement with experts ({agreement['name']}, {agreement['weights']} weights) is {shown} on "
                f"{count} answers; at least {terms.agreement:g} is needed."
            ),
        )
    outside = {name: share for name, share in figures["outside"].items() if share > MOST_OUTSIDE}
    if outside:
        name, share = max(outside.items(), key=lambda item: item[1])
        return (
            LicenceState.REFUSED if known.was_licensed else LicenceState.PROVISIONAL,
            (
                f"Too early to say: {share:.0%} of its grades of {name} lie beyond those that experts have graded. "
                "Have experts grade more answers."
            ),
        )
    return _transported(known, calibration, terms)


def _transported(known: Known, calibration: Calibration, terms: Terms) -> tuple[LicenceState, str]:
    audit, count = calibration.audit, len(known.labels)
    if terms.margin is None:
        return LicenceState.PROVISIONAL, "No margin is set, so that its grades are not audited on fresh answers."
    off = f"by no more than {terms.margin:g}"
    if calibration.failed_models:
        name = _name(known.labels, calibration.failed_models[0])
        return (
            LicenceState.REFUSED,
            (
                f"It grades {name} otherwise than experts, by more than {terms.margin:g}, "
                "although it fits the other answers."
            ),
        )
    if audit is None or audit.verdict is not Transport.PASS:
        if audit is not None and audit.verdict is Transport.FAIL:
            return (
                LicenceState.REFUSED,
                (
                    f"On {calibration.looked} fresh answers its grades are off by {_signed(-audit.mean)}, more than "
                    f"the {terms.margin:g} that is allowed."
                ),
            )
        more = (calibration.next_look or 0) - calibration.probes
        so_far = "" if audit is None else f" So far it may be off by {_range(audit)}."
        return (
            LicenceState.PROVISIONAL,
            (
                f"Whether its grades are off {off} on fresh answers cannot be said yet.{so_far} Next look: after "
                f"{more} more expert grade{'' if more == 1 else 's'}."
            ),
        )
    drift = calibration.drift
    if drift is not None and drift.found is not None:
        return (
            LicenceState.SUSPENDED,
            (
                f"It has drifted away from experts: {drift.found} answers after its licence the difference was too "
                "large to be chance. Find the cause, then begin a new licence."
            ),
        )
    if drift is not None and drift.changed:
        return (
            LicenceState.SUSPENDED,
            "It grades answers of another base model otherwise than those it was licensed for.",
        )
    if known.shift is not None and known.shift.beyond(terms.margin):
        return (
            LicenceState.SUSPENDED,
            (
                f"The judge itself has changed: the same {known.shift.rows} answers got {_signed(known.shift.shift)} "
                f"on {known.shift.day}. Ask its provider what changed, then begin a new licence."
            ),
        )
    return (
        LicenceState.LICENSED,
        (
            f"Its grades agree with experts’ on {count} random answers, and were off {off} on {calibration.looked} "
            "fresh ones."
        ),
    )


def _failed_test(judge: str, figures: Figures, terms: Terms) -> str:
    """Why it may not be licensed, in a sentence; empty if it may."""
    accuracy, adversarial = figures.accuracy, adversarial_accuracy(figures)
    if accuracy is None or accuracy.value < terms.accuracy:
        shown = "none" if accuracy is None else f"{accuracy.value:.0%}"
        return (
            f"“{judge}” graded {shown} of the built-in answers as they deserve; at least {terms.accuracy:.0%} is "
            "needed."
        )
    if adversarial is None or adversarial < terms.adversarial:
        shown = "no" if adversarial is None else f"{adversarial:.0%} of"
        return (
            f"“{judge}” told {shown} fluent wrong answers from right ones; at least {terms.adversarial:.0%} is needed."
        )
    if figures.lift is None or figures.lift.value > terms.lift:
        shown = "" if figures.lift is None else f" by {figures.lift.value:.1f}"
        return f"“{judge}” lets itself be talked into better grades{shown}: answers that demand one get it."
    if figures.constant is None or figures.constant.value > terms.constant:
        shown = "" if figures.constant is None else f" {figures.constant.value:.1f} of 5"
        return f"“{judge}” gives answers that say nothing{shown}."
    return ""


def adversarial_accuracy(figures: Figures) -> float | None:
    """Share of questions in which a fluent wrong answer got less than a right one."""
    return None if figures.fooled is None else 1 - figures.fooled.value


def _figures(known: Known, calibration: Calibration | None, terms: Terms) -> dict[str, Any]:
    """As JSON. What cannot be stated is null."""
    return {
        "tests": [
            {
                "judge": test.judge,
                "accuracy": _share(test.figures.accuracy) if test.figures else None,
                "adversarial": adversarial_accuracy(test.figures) if test.figures else None,
                "lift": _share(test.figures.lift) if test.figures else None,
                "constant": _share(test.figures.constant) if test.figures else None,
            }
            for test in known.tests
        ],
        **against_experts(known.labels),
        "outside": _outside(known),
        "audit": _audit(calibration, terms),
        "by_model": [
            {"name": _name(known.labels, model), **_audit_figures(audit)}
            for model, audit in (calibration.by_model if calibration else ())
        ],
        "deviation": deviation(calibration.baseline) if calibration else None,
        "drift": _drift(calibration),
        "shift": asdict(known.shift) if known.shift else None,
        "earlier": known.earlier,
        "needed": _needed(known, calibration, terms),
    }


def against_experts(labels: Sequence[Label]) -> dict[str, Any]:
    """{agreement, bias}, each with its interval; None where too few labels say nothing."""
    pairs = [[whole(label.grade), whole(label.score)] for label in labels]
    found = gwet_ac(pairs, SCALE, weights="quadratic") if pairs else None
    bias = None
    if len({label.cluster for label in labels}) > 1:
        estimate = judge_bias(
            [label.grade for label in labels],
            [label.score for label in labels],
            low=LOWEST,
            high=HIGHEST,
            clusters=[label.cluster for label in labels],
        )
        interval = estimate.interval()
        bias = {"mean": estimate.mean, "low": interval.low, "high": interval.high}
    return {
        "agreement": None
        if found is None
        else {
            "name": found.name,
            "weights": found.weights,
            "value": found.value,
            "low": found.interval.low if found.interval else None,
            "high": found.interval.high if found.interval else None,
            "raw": found.raw,
            "items": found.items,
        },
        "bias": bias,
    }


def _outside(known: Known) -> dict[str, float]:
    """By what answered, of those whose answers experts graded."""
    labelled = [half(label.score) for label in known.labels]
    graded = {label.name for label in known.labels}
    return {
        name: outside_labelled([half(score) for score in scores], labelled)
        for name, scores in known.scores.items()
        if name in graded and scores
    }


def _audit(calibration: Calibration | None, terms: Terms) -> dict[str, Any] | None:
    if calibration is None:
        return None
    probes = {"probes": calibration.probes, "looked": calibration.looked, "next_look": calibration.next_look}
    if calibration.audit is None:
        return {"verdict": Transport.INCONCLUSIVE, "margin": terms.margin, **probes}
    return {**_audit_figures(calibration.audit), "margin": terms.margin, **probes}


def _audit_figures(audit: Audit) -> dict[str, Any]:
    return {
        "verdict": audit.verdict,
        "mean": audit.mean,
        "low": audit.interval.low,
        "high": audit.interval.high,
        "clusters": audit.clusters,
    }


def _drift(calibration: Calibration | None) -> dict[str, Any] | None:
    drift = calibration.drift if calibration else None
    if drift is None:
        return None
    return {
        "alarm_at": drift.alarm_at,
        "labels": len(drift.sums),
        "now": drift.sums[-1] if drift.sums else 0.0,
        "found": drift.found,
        "power": drift.power,
        "evidence": drift.evidence,
    }


def _needed(known: Known, calibration: Calibration | None, terms: Terms) -> int | None:
    """Labels until the map can be made, or the audit is held next."""
    if calibration is None:
        return terms.labels - len(known.labels)
    return calibration.next_look - calibration.probes if calibration.next_look is not None else None


def _share(figure: Any) -> dict[str, float] | None:
    return None if figure is None else {"value": figure.value, "low": figure.low, "high": figure.high}


def _name(labels: Sequence[Label], model: str) -> str:
    return next((label.name for label in labels if label.model == model), model)


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _range(audit: Audit) -> str:
    """Of the judge less the experts."""
    return f"{_signed(-audit.interval.high)} to {_signed(-audit.interval.low)}"
