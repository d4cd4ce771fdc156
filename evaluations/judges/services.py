"""Every write to judges and of what their calls took, and their trial."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from evaluations.judges.backends import judges as shared
from evaluations.judges.backends.base import Judge as Backend
from evaluations.judges.backends.base import Verdict
from evaluations.judges.backends.errors import JudgeError
from evaluations.judges.backends.openai import GatewayJudge
from evaluations.judges.backends.usage import NOTHING, Usage
from evaluations.judges.configured import backend_of
from evaluations.judges.example import EXAMPLE
from evaluations.judges.prices import with_price
from evaluations.judges.prompts import Prompt
from evaluations.judges.settings import COMPUTES, FIELDS, WrongSetting, checked, host_of
from evaluations.models import CallPurpose, Judge, JudgeUsage, PaidTo
from rest.errors import Conflict, NotFound
from tenants.audit.services import record_event
from tenants.models import Tenant, User
from tenants.sealing import seal

MAX_SECRET = 4_000
TRIAL: Mapping[str, Any] = {"TIMEOUT_SECONDS": 45.0, "SAMPLES": 1}
"""Options of a judge that is tried, since a person waits."""

DEFAULTS: Mapping[str, Any] = {
    "address": "",
    "region": "",
    "api_version": "",
    "temperature": 0.0,
    "samples": 3,
    "price_in": None,
    "price_out": None,
    "requests_per_minute": None,
    "is_tested_automatically": True,
}


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A judge asked about one built-in example: its verdict, or why there is none."""

    prompt: Prompt
    verdict: Verdict | None = None
    error: JudgeError | None = None

    @property
    def usage(self) -> Usage:
        """What the trial cost, whichever way it ended."""
        ended = self.verdict or self.error
        return ended.usage if ended is not None else NOTHING

    @property
    def raw(self) -> tuple[str, ...]:
        """The replies as they came."""
        if self.verdict is not None:
            return self.verdict.raw
        return (self.error.raw,) if self.error is not None and self.error.raw else ()


def create_judge(*, tenant: Tenant, created_by: User | None = None, secret: str = "", **values: Any) -> Judge:
    """Create a judge with `values` of `settings.FIELDS`. Raises WrongSetting, InvalidName or Conflict."""
    found = checked({**DEFAULTS, **values})
    judge = Judge(tenant=tenant, created_by=created_by, **found)
    _keep_secret(judge, secret)
    try:
        with transaction.atomic():
            judge.save(force_insert=True)
            record_event("judge.created", judge, after={**_plain(found), "secret": bool(secret)})
    except IntegrityError:
        raise _name_taken(found["name"]) from None
    return judge


def change_judge(*, judge: Judge, secret: str | None = None, **values: Any) -> Judge:
    """Change the `values` given; None keeps the secret and an empty one forgets it.

    A secret is also forgotten when the judge moves to another host. `version` rises when the judge computes something
    else from now on. Raises WrongSetting, InvalidName, Conflict or NotFound.
    """
    try:
        with transaction.atomic():
            locked = Judge.objects.select_for_update().filter(id=judge.id).first()
            if locked is None:
                raise NotFound("Judge not found.")
            before = {name: getattr(locked, name) for name in FIELDS}
            found = checked({**before, **values})
            changed = [name for name in FIELDS if found[name] != before[name]]
            for name in changed:
                setattr(locked, name, found[name])
            moved = locked.has_secret and host_of(found) != locked.secret_host
            if secret is not None or moved:
                _keep_secret(locked, secret or "")
            locked.version += any(name in COMPUTES for name in changed)
            locked.save()
            if changed or secret is not None or moved:
                after = {name: found[name] for name in changed}
                record_event(
                    "judge.changed",
                    locked,
                    before=_plain({name: before[name] for name in changed}),
                    after={**_plain(after), "version": locked.version, "secret": locked.has_secret},
                )
    except IntegrityError:
        raise _name_taken(str(values.get("name", "")).strip()) from None
    return locked


@transaction.atomic
def delete_judge(*, judge: Judge) -> None:
    """Delete a judge and its secret. Does nothing if it is already deleted."""
    if Judge.objects.filter(id=judge.id).exists():
        record_event("judge.deleted", judge)
        Judge.objects.filter(id=judge.id).delete()


def try_judge(*, judge: Judge) -> Trial:
    """Ask the judge once about the example. Call it outside a transaction; it waits for the model."""
    backend = None
    try:
        backend = backend_of(judge, **TRIAL)
    except JudgeError as error:
        trial = Trial(prompt=EXAMPLE, error=error)
    else:
        trial = _tried(backend)
    with transaction.atomic():
        if backend is not None:
            record_calls(
                usage=trial.usage, purpose=CallPurpose.TESTING, backend=backend, key=str(judge.id), name=judge.name
            )
        record_event("judge.tried", judge, after={**_outcome(trial), "version": judge.version})
    return trial


def try_shared_judge(*, tenant: Tenant, alias: str) -> Trial:
    """The same of a judge that the site offers. Raises NotFound."""
    if alias not in shared:
        raise NotFound("Judge not found.")
    backend = shared[alias]
    options = {name: value for name, value in TRIAL.items() if name in backend.settings}
    trial = _tried(with_price(type(backend)(alias, {**backend.settings, **options})))
    with transaction.atomic():
        record_calls(
            usage=trial.usage,
            purpose=CallPurpose.TESTING,
            backend=backend,
            key=alias,
            name=backend.label,
            is_shared=True,
        )
        record_event("judge.tried", tenant, after={**_outcome(trial), "shared": alias})
    return trial


OWN_PRICE = {PaidTo.SITE: "Set by your site’s operator", PaidTo.PROVIDER: "Set on the judge"}
"""Where a judge's own price is from."""


def record_calls(
    *, usage: Usage, purpose: CallPurpose, backend: Backend, key: str, name: str, is_shared: bool = False
) -> None:
    """Add what calls took to their hour. `key` is the judge's id, or the alias of one that the site shares."""
    if not (backend.is_llm and usage.calls):
        return
    without_tokens = None in (usage.tokens_in, usage.tokens_out)
    paid_to = _paid_to(backend, is_shared)
    row = {
        "hour": timezone.now().astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0),
        "purpose": purpose,
        "paid_to": paid_to,
        "judge_key": key,
        "judge_name": name[:80],
        "price_source": "" if usage.cost_usd is None else backend.price.source or OWN_PRICE.get(paid_to, ""),
    }
    added = {
        "calls": usage.calls,
        "calls_without_tokens": usage.calls if without_tokens else 0,
        "calls_without_price": usage.calls if usage.cost_usd is None and not without_tokens else 0,
        "tokens_in": usage.tokens_in or 0,
        "tokens_out": usage.tokens_out or 0,
        "usd": usage.cost_usd or 0,
    }
    changes = {column: F(column) + amount for column, amount in added.items()}
    if not JudgeUsage.objects.filter(**row).update(**changes):
        # Another worker may create it at the same time.
        JudgeUsage.objects.bulk_create([JudgeUsage(**row)], ignore_conflicts=True)
        JudgeUsage.objects.filter(**row).update(**changes)


def _paid_to(backend: Backend, is_shared: bool) -> PaidTo:
    if is_shared:
        return PaidTo.SITE
    return PaidTo.SERVING if isinstance(backend, GatewayJudge) else PaidTo.PROVIDER


def _tried(backend: Backend) -> Trial:
    try:
        return Trial(prompt=EXAMPLE, verdict=backend.ask(EXAMPLE))
    except JudgeError as error:
        return Trial(prompt=EXAMPLE, error=error)


def _outcome(trial: Trial) -> dict[str, Any]:
    spent = trial.usage
    outcome = trial.error.kind if trial.error else "verdict"
    return {
        "outcome": outcome,
        "tokens_in": spent.tokens_in,
        "tokens_out": spent.tokens_out,
        "cost_usd": spent.cost_usd,
    }


def _keep_secret(judge: Judge, secret: str) -> None:
    secret = secret.strip()
    if len(secret) > MAX_SECRET or not secret.isascii() or not secret.isprintable():
        raise WrongSetting("The secret contains characters that no key has. Copy it again.", field="secret")
    judge.secret_host = host_of({name: getattr(judge, name) for name in COMPUTES}) if secret else ""
    judge.sealed_secret = seal(secret, tenant_id=judge.tenant_id, host=judge.secret_host) if secret else ""


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: str(value) if name.startswith("price") and value is not None else value for name, value in values.items()
    }


def _name_taken(name: str) -> Conflict:
    return Conflict(
        f"A judge called “{name}” already exists. Choose a different name.", code="judge:name_taken", field="name"
    )
