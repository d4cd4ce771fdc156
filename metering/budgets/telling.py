"""Opens and ends the alerts of budgets, by what was counted.

An alert's occasion holds the month, the amount and the threshold: each is told once, and again only for another amount.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from metering.alerts.services import end_alerts, open_alert
from metering.budgets.counting import Subject
from metering.budgets.names import EVERYTHING, labels_of
from metering.budgets.thresholds import reached
from metering.models import Alert, AlertKind, Budget, BudgetScope, Spend
from metering.usage.figures import MICROS

KINDS = (AlertKind.BUDGET, AlertKind.FORECAST)


class Told:
    """The alerts of some budgets: which occasions are known, and which is open."""

    def __init__(self, budgets: Iterable[Budget]) -> None:
        rows = Alert.objects.filter(kind__in=KINDS, subject__in=[str(budget.id) for budget in budgets])
        self.known: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.open: dict[tuple[str, str], str] = {}
        for kind, subject, occasion, ended_at in rows.values_list("kind", "subject", "occasion", "ended_at"):
            self.known[kind, subject].add(occasion)
            if ended_at is None:
                self.open[kind, subject] = occasion

    def is_open(self, kind: AlertKind, budget: Budget, occasion: str) -> bool:
        return self.open.get((kind.value, str(budget.id))) == occasion

    def end(self, kind: AlertKind, budget: Budget) -> None:
        if (kind.value, str(budget.id)) in self.open:
            end_alerts(kind=kind, subject=str(budget.id))

    def highest(self, budget: Budget, month: str) -> int:
        """Of the thresholds told already; 0 if none was."""
        occasions = (one.rpartition("/") for one in self.known[AlertKind.BUDGET.value, str(budget.id)])
        return max((int(percent) for of, _, percent in occasions if of == month), default=0)


def tell(spends: Sequence[tuple[Budget, Spend]]) -> None:
    """Tell of thresholds and forecasts of this month, each once; of several thresholds at a time, the highest.

    Alerts end when they no longer hold: the amount was raised, or the month is over.
    """
    told = Told(budget for budget, _ in spends)
    labels = labels_of(subject_of(budget) for budget, _ in spends)
    for budget, spend in spends:
        _tell_threshold(budget, spend, _label(budget, labels), told)
        _tell_forecast(budget, spend, _label(budget, labels), told)


def subject_of(budget: Budget) -> Subject:
    return Subject(budget.scope, budget.value)


def _tell_threshold(budget: Budget, spend: Spend, label: str, told: Told) -> None:
    percent, month = reached(spend.micros, budget.amount_micros), _month(budget, spend)
    if percent is None or told.highest(budget, month) > percent:
        told.end(AlertKind.BUDGET, budget)
        return
    occasion = f"{month}/{percent}"
    if told.is_open(AlertKind.BUDGET, budget, occasion):
        return
    share = 100 * spend.micros // budget.amount_micros
    open_alert(
        kind=AlertKind.BUDGET,
        subject=str(budget.id),
        occasion=occasion,
        title=f"{label}: {share}% of the budget used",
        text=f"{label}: {_usd(spend.micros)} of {_usd(budget.amount_micros)} were used in "
        f"{spend.month:%B %Y} (UTC), {share}% of the budget.",
        data=_data(budget, spend) | {"threshold_percent": percent},
        recipients=budget.recipients,
    )


def _tell_forecast(budget: Budget, spend: Spend, label: str, told: Told) -> None:
    forecast, occasion = spend.forecast_micros, _month(budget, spend)
    is_over = spend.micros >= budget.amount_micros
    if forecast is None or forecast < budget.amount_micros or is_over or spend.used_up_on is None:
        told.end(AlertKind.FORECAST, budget)
        return
    if told.is_open(AlertKind.FORECAST, budget, occasion):
        return
    open_alert(
        kind=AlertKind.FORECAST,
        subject=str(budget.id),
        occasion=occasion,
        title=f"{label}: budget used up by {spend.used_up_on.day} {spend.used_up_on:%B}",
        text=f"{label}: about {_usd(forecast)} will be used in {spend.month:%B %Y} (UTC), more than the budget of "
        f"{_usd(budget.amount_micros)}. It will be used up on {spend.used_up_on.day} {spend.used_up_on:%B}.",
        data=_data(budget, spend)
        | {
            "forecast_usd": _plain(forecast),
            "forecast_low_usd": _plain(spend.forecast_low_micros or 0),
            "forecast_high_usd": _plain(spend.forecast_high_micros or 0),
            "used_up_on": spend.used_up_on.isoformat(),
        },
        recipients=budget.recipients,
    )


def _month(budget: Budget, spend: Spend) -> str:
    return f"{spend.month:%Y-%m}/{budget.amount_micros}"


def _label(budget: Budget, labels: Mapping[Subject, str]) -> str:
    label = labels[subject_of(budget)]
    return label if label == EVERYTHING else f"{BudgetScope(budget.scope).label} {label}"


def _data(budget: Budget, spend: Spend) -> dict[str, Any]:
    return {
        "budget": str(budget.id),
        "scope": budget.scope,
        "adapter": budget.value if budget.scope == BudgetScope.ADAPTER else None,
        "key": budget.value if budget.scope == BudgetScope.KEY else None,
        "month": f"{spend.month:%Y-%m}",
        "amount_usd": _plain(budget.amount_micros),
        "spent_usd": _plain(spend.micros),
    }


def _plain(micros: int) -> str:
    return f"{Decimal(micros) / MICROS:.6f}"


def _usd(micros: int) -> str:
    return f"${Decimal(micros) / MICROS:,.2f}"
