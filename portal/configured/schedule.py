"""Which tasks run by the clock, and when; a message that comes too late is dropped."""

from typing import Any

from celery.schedules import crontab

from jobs.messages.validity import valid_for

SCHEDULE: dict[str, dict[str, Any]] = {
    "reconcile-jobs": {"task": "jobs.reconcile", "schedule": 2.0, "options": valid_for(4)},
    "discard-leftovers": {"task": "jobs.discard_leftovers", "schedule": 300.0, "options": valid_for(300)},
    "go-on-with-uploads": {"task": "corpora.go_on_with_uploads", "schedule": 10.0, "options": valid_for(20)},
    "clear-uploads": {"task": "corpora.clear_uploads", "schedule": 600.0, "options": valid_for(600)},
    "remove-objects": {"task": "storage.remove_objects", "schedule": 600.0, "options": valid_for(600)},
    "reconcile-endpoints": {"task": "serving.reconcile_endpoints", "schedule": 10.0, "options": valid_for(20)},
    "go-on-with-base-models": {
        "task": "adapters.go_on_with_base_models",
        "schedule": 5.0,
        "options": valid_for(10),
    },
    "read-endpoint-alarms": {"task": "serving.read_alarms", "schedule": 120.0, "options": valid_for(120)},
    "follow-endpoints": {"task": "serving.follow_endpoints", "schedule": 300.0, "options": valid_for(300)},
    "follow-recommendations": {"task": "serving.follow_recommendations", "schedule": 60.0, "options": valid_for(60)},
    "forget-trial-copies": {
        "task": "serving.forget_trial_copies",
        "schedule": crontab(hour=3, minute=41),
        "options": valid_for(3600),
    },
    "publish-routes": {"task": "serving.publish_routes", "schedule": 5.0, "options": valid_for(10)},
    "learn-routers": {"task": "serving.learn_routers", "schedule": crontab(minute=23), "options": valid_for(600)},
    "test-judges": {"task": "evaluations.start_due_tests", "schedule": 60.0, "options": valid_for(60)},
    "look-after-licences": {
        "task": "evaluations.look_after_licences",
        "schedule": crontab(hour=2, minute=17),
        "options": valid_for(3600),
    },
    "send-review-digests": {
        "task": "evaluations.send_review_digests",
        "schedule": crontab(hour=6, minute=5),
        "options": valid_for(3600),
    },
    "prepare-invocation-months": {
        "task": "metering.prepare_months",
        "schedule": crontab(hour=1, minute=29),
        "options": valid_for(3600),
    },
    "allocate-costs": {"task": "metering.allocate_costs", "schedule": 60.0, "options": valid_for(60)},
    "measure-storage": {"task": "metering.measure_storage", "schedule": 300.0, "options": valid_for(300)},
    "close-statements": {"task": "metering.close_statements", "schedule": 60.0, "options": valid_for(60)},
    "charge-late-lines": {
        "task": "metering.charge_late_lines",
        "schedule": crontab(minute=11),
        "options": valid_for(600),
    },
    "collect-invocations": {"task": "metering.collect_invocations", "schedule": 5.0, "options": valid_for(10)},
    "deliver-webhooks": {"task": "tenants.deliver_webhooks", "schedule": 5.0, "options": valid_for(10)},
    "forget-webhook-events": {
        "task": "tenants.forget_webhook_events",
        "schedule": crontab(hour=2, minute=51),
        "options": valid_for(3600),
    },
    "count-budgets": {"task": "metering.count_budgets", "schedule": 60.0, "options": valid_for(60)},
    "find-anomalies": {
        "task": "metering.find_anomalies",
        "schedule": crontab(minute="7,27,47"),
        "options": valid_for(600),
    },
    "send-alerts": {"task": "metering.send_alerts", "schedule": 20.0, "options": valid_for(20)},
    "note-engines": {"task": "metering.note_engines", "schedule": 60.0, "options": valid_for(60)},
    "read-observed-usage": {"task": "metering.read_observed", "schedule": 300.0, "options": valid_for(300)},
    "import-prices": {
        "task": "metering.import_prices",
        "schedule": crontab(hour=4, minute=53),
        "options": valid_for(3600),
    },
}
