"""Requests and tokens of the active tenant, as OpenAI's usage of completions."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.db.models import CharField, F, Func, QuerySet, Sum, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Trunc

from metering.models import By, Grain, HourlyUsage, UsageTotal
from metering.openai.buckets import Buckets

MODEL_OF_VALUE = Func(F("value"), Value("/"), Value(1), function="split_part", output_field=CharField())
SUMS = ("requests", "prompt_tokens", "cached_tokens", "completion_tokens")
FAILED = ("refused", "limited", "failed", "disconnected")


def completions(
    found: Buckets,
    *,
    project: str,
    group_by: Collection[str] = (),
    models: Collection[str] = (),
    keys: Collection[str] = (),
) -> dict[dt.datetime, list[dict[str, Any]]]:
    """Results by bucket, those with requests only. Models and keys are told apart where they are grouped by."""
    rows = _rows(found, by_model="model" in group_by or bool(models), by_key="api_key_id" in group_by or bool(keys))
    if models:
        rows = rows.filter(model__in=models)
    if keys:
        rows = rows.filter(key_id__in=keys)
    names = [name for name, shown in (("model", "model"), ("key_id", "api_key_id")) if shown in group_by]
    summed = rows.order_by("at", *names).values("at", *names)
    results = defaultdict(list)
    for row in summed.annotate(**{f"{name}_sum": Sum(name) for name in (*SUMS, *FAILED)}):
        if result := _result(row, project if "project_id" in group_by else None):
            results[row["at"]].append(result)
    return results


def _rows(found: Buckets, *, by_model: bool, by_key: bool) -> QuerySet[Any]:
    """Rows with `at`, and `model` and `key_id` if they are wanted: of the roll-up that has no more than those."""
    of_day = found.grain == Grain.DAY
    if by_model and (by_key or not of_day):
        hours = HourlyUsage.objects.filter(hour__gte=found.start, hour__lt=found.end)
        at: Combinable = Trunc("hour", found.grain.value, tzinfo=dt.UTC)
        return hours.annotate(at=at, model=F("alias"), key_id=F("key"))
    by = By.VERSION if by_model else By.KEY if by_key else By.ALL
    totals = UsageTotal.objects.filter(by=by, grain=found.grain, start__gte=found.start, start__lt=found.end)
    return totals.annotate(at=F("start"), model=MODEL_OF_VALUE, key_id=F("value"))


def _result(row: dict[str, Any], project: str | None) -> dict[str, Any] | None:
    answered = row["requests_sum"] - sum(row[f"{name}_sum"] for name in FAILED)
    if not answered and not row["prompt_tokens_sum"]:
        return None
    cached = row["cached_tokens_sum"]
    return {
        "object": "organization.usage.completions.result",
        "input_tokens": row["prompt_tokens_sum"],
        "input_cached_tokens": cached,
        "input_uncached_tokens": row["prompt_tokens_sum"] - cached,
        "output_tokens": row["completion_tokens_sum"],
        "input_text_tokens": row["prompt_tokens_sum"] - cached,
        "output_text_tokens": row["completion_tokens_sum"],
        "input_cached_text_tokens": cached,
        "input_audio_tokens": 0,
        "output_audio_tokens": 0,
        "num_model_requests": answered,
        "project_id": project,
        "user_id": None,
        "api_key_id": row.get("key_id") or None,
        "model": row.get("model") or None,
        "batch": None,
        "service_tier": None,
    }
