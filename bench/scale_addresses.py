"""What bench/scale.py asks for: every address of the site that answers to GET, with the ids of the large tenant's rows.

A new address is measured without being named here, unless it has a parameter of a new kind.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.db import models
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from adapters.models import Adapter, AdapterVersion, Sweep, TrainingRun
from corpora.models import Dataset, DatasetVersion, Upload
from evaluations.models import EvaluationRun, Judge, Rubric
from jobs.models import Job
from serving.models import Deployment, Endpoint, Promotion, Route

Row = type[models.Model]

LEFT_OUT = {
    # Downloads, whose time is the file's.
    "adapters:package", "adapter-version-package", "corpora:export", "dataset-version-export",
    # The documents of the REST API, which know no tenant.
    "openapi", "api-docs",
    # Rows of the operator.
    "base-model-detail", "endpoint-detail",
    # These have no GET.
    "evaluations:grade", "evaluations:judge-try", "evaluations:judge-delete",
    "evaluations:judge-test", "evaluations:shared-judge-test",
    "evaluations:rubric-delete", "judge-try", "rubric-preview", "revoke-key", "serving:promote", "serving:roll-back",
    "member-role", "member-remove", "invitation-cancel",
    # Named by the site's settings, not by a row.
    "evaluations:shared-judge",
    # One-time links.
    "join", "password-set",
}  # fmt: skip

OF_PARAMETER: dict[str, Row] = {
    "job_id": Job,
    "dataset_id": Dataset,
    "upload_id": Upload,
    "sweep_id": Sweep,
    "adapter_id": Adapter,
    "judge_id": Judge,
    "rubric_id": Rubric,
}
OF_PAGE: dict[tuple[str, str], Row] = {
    ("adapters", "run_id"): TrainingRun,
    ("adapters", "version_id"): AdapterVersion,
    ("corpora", "version_id"): DatasetVersion,
    ("evaluations", "run_id"): EvaluationRun,
    ("serving", "version_id"): AdapterVersion,
}
OF_REST: dict[str, Row] = {
    "adapter-version-": AdapterVersion,
    "dataset-version-": DatasetVersion,
    "training-run-": TrainingRun,
    "adapter-": Adapter,
    "dataset-": Dataset,
    "deployment-": Deployment,
    "endpoint-": Endpoint,
    "evaluation-": EvaluationRun,
    "job-": Job,
    "judge-": Judge,
    "promotion-": Promotion,
    "route-": Route,
    "rubric-": Rubric,
    "sweep-": Sweep,
    "upload-": Upload,
}
LATER_PAGE = ("adapters:list", "adapters:runs", "corpora:list", "evaluations:list", "jobs:list")


def addresses(rows: dict[Row, Any]) -> Iterator[tuple[str, str]]:
    """(name, URL) of everything to ask for; the id of a row of each model is in `rows`."""
    for name, parameters in _patterns(get_resolver().url_patterns):
        if name in LEFT_OUT:
            continue
        url = reverse(name, kwargs={parameter: rows[_row(name, parameter)] for parameter in parameters})
        yield name, url
        for query in _further(name, rows):
            yield f"{name} ?{query}"[:60], f"{url}?{query}"


def _further(name: str, rows: dict[Row, Any]) -> Iterator[str]:
    if name in LATER_PAGE:
        yield "page=10"
    if name == "metering:usage":
        yield from ("range=7d", "range=30d")
    if name == "usage-list":
        yield f"start={(timezone.now() - dt.timedelta(days=30)):%Y-%m-%dT%H:%M:%SZ}"
    if name == "corpora:version":
        yield from ("tab=quality", "tab=profile", "tab=versions", "q=word")
    if name == "corpora:list":
        yield "q=questions"
    if name == "jobs:list":
        yield "state=failed"
    if name == "job-list":
        yield "kind=training"
    if name in ("adapters:estimate", "adapters:sweep-estimate"):
        yield f"dataset_version={rows[DatasetVersion]}&adapter=desk&recipe=style&ranks=8,16"


def _row(name: str, parameter: str) -> Row:
    if parameter in OF_PARAMETER:
        return OF_PARAMETER[parameter]
    if parameter == "pk":
        return next(row for prefix, row in OF_REST.items() if name.startswith(prefix))
    return OF_PAGE[name.partition(":")[0], parameter]


def _patterns(patterns: list[Any], namespace: str = "") -> Iterator[tuple[str, list[str]]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _patterns(pattern.url_patterns, inner)
        elif isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name}", list(pattern.pattern.regex.groupindex)
