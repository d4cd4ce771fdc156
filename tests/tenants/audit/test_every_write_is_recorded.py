"""Every service that writes for a person adds an audit event."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

APPS = ("tenants", "jobs", "corpora", "adapters", "evaluations", "serving", "metering", "portal")

UNRECORDED = {
    "adapters.base_models.services.add_base_model": "of the site, in no tenant",
    "adapters.base_models.services.ensure_base_model": "of the site, in no tenant",
    "adapters.base_models.services.remove_base_model": "of the site, in no tenant",
    "adapters.base_models.services.change_base_model": "of the site, in no tenant",
    "adapters.base_models.services.note_findings": "of the site, in no tenant",
    "adapters.operator.services.start_addition": "of the site, in no tenant; the row says who and when",
    "adapters.operator.services.start_check": "of the site, in no tenant; the row says who and when",
    "adapters.operator.services.stop_work": "of the site, in no tenant",
    "adapters.operator.services.try_again": "of the site, in no tenant",
    "adapters.operator.services.discard_work": "of the site, in no tenant",
    "serving.endpoints.services.ensure_endpoint": "of the site, in no tenant",
    "serving.endpoints.services.create_endpoint": "of the site, in no tenant",
    "serving.endpoints.services.plan_endpoint": "reads only",
    "serving.endpoints.services.plan_change": "reads only",
    "serving.endpoints.services.make_endpoint": "of the site, in no tenant",
    "serving.endpoints.services.change_endpoint": "of the site, in no tenant",
    "serving.endpoints.services.delete_endpoint": "of the site, in no tenant",
    "serving.endpoints.services.make_default": "of the site, in no tenant",
    "serving.endpoints.services.take_place": "follows from a promotion, which is recorded",
    "serving.capacity.services.pin_deployment": "_set_pin records it",
    "serving.capacity.services.unpin_deployment": "_set_pin records it",
    "serving.capacity.services.note_prediction": "a calculation of the site’s",
    "serving.capacity.services.note_measured": "a measurement of the site’s",
    "serving.capacity.services.forget_predictions": "of the site, by its schedule",
    "serving.capacity.services.start_recommendation": "of the site, in no tenant",
    "serving.capacity.services.note_outcome": "what AWS answered, on the recommendation",
    "metering.observed.services.read_observed": "what a cloud has counted, by the site's schedule",
    "metering.prices.services.set_price": "of the site, in no tenant; the row says who and when",
    "metering.prices.services.end_price": "of the site, in no tenant",
    "metering.prices.services.add_discount": "of the site, in no tenant; the row says who and when",
    "metering.prices.services.end_discount": "of the site, in no tenant",
    "metering.prices.services.set_rate": "of the site, in no tenant; the row says who and when",
    "metering.prices.services.import_prices": "of the site, in no tenant; the row says where from and when",
    "metering.reconciliation.services.import_bill": "of the site, in no tenant; a row says who, when and of what",
    "metering.statements.services.begin_closing": "of the site, in no tenant; the row says who and when",
    "metering.statements.services.finish_closing": "_write records it",
    "metering.alerts.services.open_alert": "what the site found, on the alert",
    "metering.alerts.services.end_alerts": "what the site found, on the alert",
    "metering.anomalies.services.check_hour": "what the site found, on the alert",
    "metering.budgets.services.count_spend": "counted by the site's schedule",
    "tenants.audit.services.record_event": "is what records",
    "tenants.webhooks.services.send_test": "what was sent is kept with the webhook",
    "tenants.webhooks.services.send_again": "what was sent is kept with the webhook",
    "tenants.people.services.add_operator": "of the site, in no tenant",
    "tenants.people.services.remove_operator": "of the site, in no tenant",
    "tenants.people.services.accept_invitation": "add_member records it",
    "tenants.people.services.change_role": "add_member records it",
    "jobs.services.wake_jobs": "changes nothing but when a job is next looked at",
    "serving.freezes.services.add_site_freeze": "of the site, in no tenant",
    "serving.freezes.services.end_site_freeze": "of the site, in no tenant",
    "jobs.services.start_job": "whoever starts it records what the job is for",
    "corpora.versions.services.upload_version": "create_version records it",
    "corpora.versions.services.recheck_version": "create_version records it",
    "corpora.uploads.services.confirm_upload": "create_version records it",
    "adapters.training.services.start_training": "queue_run records it",
    "adapters.training.services.resume_training": "queue_run records it",
    "adapters.training.services.base_model_for": "reads only",
    "evaluations.judges.services.record_calls": "what calls took, on the hour's row",
    "evaluations.judging.services.keep_verdict": "a judge's reply, on the verdict",
    "evaluations.judging.services.keep_failure": "a judge's reply, on the verdict",
    "evaluations.judging.services.forget_failures": "forgets replies, which are not recorded either",
    "evaluations.qualification.services.start_qualification": "_start records it",
    "evaluations.qualification.services.start_shared_qualification": "_start records it",
    "evaluations.licences.services.assess_licence": "_record records it",
    "evaluations.licences.services.assess_judging": "assess_licence records it",
    "evaluations.licences.services.assess_licences": "assess_licence records it",
    "evaluations.licences.services.begin_licence_anew": "_record records it",
    "evaluations.licences.services.start_rejudging": "a job of the site, on the job",
    "evaluations.alignment.services.use_alignment": "_decide records it",
    "evaluations.alignment.services.drop_alignment": "_decide records it",
    "evaluations.gates.services.override": "_close records it",
    "evaluations.gates.services.reject": "_close records it",
    "evaluations.reviews.queue.services.next_items": "whose turn it is, on the turn",
    "evaluations.reviews.queue.services.reveal_judge": "that the grade was seen, on the turn",
    "corpora.uploads.services.record_inspection": "a job's outcome, on the job",
    "corpora.uploads.services.record_failed_inspection": "a job's outcome, on the job",
    "corpora.uploads.services.fail_upload": "a job's outcome, on the job",
    "corpora.versions.services.record_report": "a job's outcome, on the job",
    "corpora.versions.services.reject_version": "a job's outcome, on the job",
    "serving.promotions.services.promote_version": "_begin records it",
    "serving.promotions.services.try_version": "start_trial records it",
    "serving.trials.services.forget_copies": "of the site, by its schedule",
    "serving.trials.services.keep_copy": "what a program asked, which the ledger records",
    "serving.trials.services.let_candidate_go": "a trial's end, which is recorded",
}


def services() -> Iterator[tuple[str, ast.FunctionDef]]:
    root = Path(settings.BASE_DIR)
    for app in APPS:
        for path in (root / app).rglob("services.py"):
            module = ".".join(path.relative_to(root).with_suffix("").parts)
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                # A service takes keywords only; the rest are its parts.
                if isinstance(node, ast.FunctionDef) and node.args.kwonlyargs and not node.name.startswith("_"):
                    yield f"{module}.{node.name}", node


@pytest.mark.parametrize(("name", "function"), [pytest.param(name, node, id=name) for name, node in services()])
def test_it_is_recorded(name: str, function: ast.FunctionDef) -> None:
    calls = {
        node.func.id for node in ast.walk(function) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert ("record_event" in calls) != (name in UNRECORDED)


def test_the_list_of_exceptions_is_no_longer_than_needed() -> None:
    assert UNRECORDED.keys() <= {name for name, _ in services()}
