"""How drf-spectacular writes the OpenAPI document."""

from typing import Any

OPENAPI: dict[str, Any] = {
    "DEFAULT_GENERATOR_CLASS": "portal.openapi.PublicSchemaGenerator",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "portal.openapi.document_problems",
    ],
    "TITLE": "Adapter Portal API",
    "DESCRIPTION": "Datasets, training, evaluation, review, promotion and usage of your LoRA adapters.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "DecisionState": "evaluations.models.DecisionState",
        "JobState": "jobs.states.State",
        "DatasetVersionState": "corpora.models.VersionState",
        "UploadState": "corpora.models.UploadState",
        "EvaluationState": "evaluations.models.EvaluationState",
        "JudgeKind": "evaluations.models.JudgeKind",
        # Also that of a judge's test, which has the same states.
        "JudgingState": "evaluations.models.JudgingState",
        "PaidTo": "evaluations.models.PaidTo",
        # Also that of a statement.
        "ReviewRoundState": "evaluations.models.RoundState",
        "ReviewChoice": "evaluations.models.Choice",
        "LicenceState": "evaluations.models.LicenceState",
        "CallPurpose": "evaluations.models.CallPurpose",
        "DeploymentState": "serving.models.DeploymentState",
    },
}
