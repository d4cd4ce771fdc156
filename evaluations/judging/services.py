"""Every write of verdicts. None of them changes one."""

from uuid import UUID

from evaluations.judges.backends.base import Verdict
from evaluations.judges.backends.errors import CutOff, JudgeError, Refused
from evaluations.judges.backends.usage import Usage
from evaluations.judges.prompts import PairPrompt, Prompt, better_of
from evaluations.judging.jurors import Juror
from evaluations.models import Verdict as StoredVerdict

LASTING = (Refused, CutOff)
"""Failures of the prompt. A wrong secret or an unknown model is the judge's: mended, it replies to the same prompt."""

LONGEST_REASON = 2_000


def keep_verdict(*, juror: Juror, prompt: Prompt, verdict: Verdict) -> None:
    """Store a verdict for good, unless the prompt has one already."""
    _keep(
        juror,
        prompt,
        verdict.usage,
        score=verdict.score,
        distribution={str(choice): probability for choice, probability in verdict.distribution.items()},
        choice=better_of(verdict.distribution) if isinstance(prompt, PairPrompt) else "",
        basis=verdict.basis,
        reason=verdict.reason[:LONGEST_REASON],
    )


def keep_failure(*, juror: Juror, prompt: Prompt, error: JudgeError) -> bool:
    """Store that the judge will not reply to the prompt. Returns False for any other failure, which is not stored."""
    if not isinstance(error, LASTING):
        return False
    _keep(juror, prompt, error.usage, error=error.kind, reason=error.text[:LONGEST_REASON])
    return True


def forget_failures(*, judge_id: UUID) -> int:
    """Let a judge be asked again what it declined, as after another guardrail. Returns how many prompts that are."""
    deleted, _ = StoredVerdict.objects.filter(judge_id=judge_id).exclude(error="").delete()
    return deleted


def _keep(juror: Juror, prompt: Prompt, usage: Usage, **content: object) -> None:
    row = StoredVerdict(
        key=juror.key(prompt),
        prompt_sha256=prompt.sha256,
        judge_id=juror.judge_id,
        judge_name=juror.name[:80],
        calls=usage.calls,
        tokens_in=usage.tokens_in,
        tokens_out=usage.tokens_out,
        usd=usage.cost_usd,
        **content,
    )
    # Another worker may have stored the same in the meantime; the first one counts.
    StoredVerdict.objects.bulk_create([row], ignore_conflicts=True)
