"""The rows of the large tenant that bench/scale.py opens: of each kind one with much to show."""

from typing import Any

from django.db import models

from adapters.models import Adapter, AdapterVersion, Sweep, TrainingRun
from bench.scale_site import Site
from corpora.models import Dataset, DatasetVersion, Upload
from evaluations.judges.services import create_judge
from evaluations.models import EvaluationRun, Judge, Rubric
from evaluations.rubrics.services import create_rubric
from evaluations.rubrics.starting import starters
from jobs.models import Job
from serving.models import Deployment, Promotion, Route
from tenants.scope import tenant_scope


def rows_of(site: Site) -> dict[type[models.Model], Any]:
    """An id by model."""
    with tenant_scope(site.tenant.id):
        checked = DatasetVersion.objects.filter(dataset__name="Checked").get()
        version = AdapterVersion.objects.exclude(evaluations=None).exclude(promotions=None).first()
        assert version is not None
        run = version.run
        judge = create_judge(
            tenant=site.tenant, name="Grader", kind="openai", model="grader", address="https://judge.example/v1"
        )
        rubric = create_rubric(tenant=site.tenant, document=starters()["extraction"])
        firsts = (Deployment, EvaluationRun, Promotion, Route, Sweep)
        return {
            Dataset: checked.dataset_id,
            DatasetVersion: checked.id,
            Upload: Upload.objects.values_list("id", flat=True)[0],
            AdapterVersion: version.id,
            Adapter: version.adapter_id,
            TrainingRun: run.id,
            Job: run.job_id,
            Judge: judge.id,
            Rubric: rubric.id,
            **{model: model.objects.values_list("id", flat=True)[0] for model in firsts},
        }
