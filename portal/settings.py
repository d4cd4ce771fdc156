"""Every setting of the site, read once from typed environment variables; docs/settings.md describes each.

A wrong value raises here, at start, not in the middle of a request.
"""

from pathlib import Path
from typing import Any

import environ

from metering.prices.currencies import checked_code
from portal.configured.encoders import all_encoders
from portal.configured.judges import all_judges
from portal.configured.metrics import all_metrics
from portal.configured.openapi import OPENAPI
from portal.configured.routing import route_classifiers
from portal.configured.schedule import SCHEDULE
from portal.configured.usage_sources import usage_sources
from portal.embedded.runtime import current_urls
from portal.logs import logging_config
from portal.secret_key import local_secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

PORTAL_VAR = Path(env.str("PORTAL_VAR", default=str(BASE_DIR / "var")))
DEBUG = env.bool("DEBUG", default=False)
EMBEDDED = not env.str("DATABASE_URL", default="")
_urls = current_urls(PORTAL_VAR) if EMBEDDED else {}

# Only the embedded site, whose data never leaves this machine, may make its own key; a hosted one must be given it.
_makes_own_key = EMBEDDED and not env.str("SECRET_KEY", default="")
SECRET_KEY = local_secret_key(PORTAL_VAR) if _makes_own_key else env.str("SECRET_KEY")
SECRETS_KEYS = env.list("SECRETS_KEYS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

HTTPS = env.bool("HTTPS", default=False)
SECURE_SSL_REDIRECT = HTTPS
# A load balancer asks for health over plain HTTP.
SECURE_REDIRECT_EXEMPT = ["^health/$"]
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
SESSION_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

INSTALLED_APPS = [
    "portal.apps.PortalConfig",
    "metering.apps.MeteringConfig",
    "serving.apps.ServingConfig",
    "evaluations.apps.EvaluationsConfig",
    "adapters.apps.AdaptersConfig",
    "corpora.apps.CorporaConfig",
    "jobs.apps.JobsConfig",
    "tenants.apps.TenantsConfig",
    "storage.apps.StorageConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "portal.static_files.StaticFiles",
    "django.contrib.humanize",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "axes",
]

MIDDLEWARE = [
    "portal.telemetry.requests.TimesMiddleware",
    "portal.telemetry.traces.TraceMiddleware",
    "rest.request_id.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.middleware.CompressionMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "tenants.middleware.ActiveTenantMiddleware",
    "portal.middleware.NoStoreMiddleware",
    "portal.body_limit.BodyLimitMiddleware",
    "portal.middleware.ProblemPageMiddleware",
    "portal.hang_up.HangUpMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
ASGI_APPLICATION = "portal.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.navigation.navigation",
                "tenants.context.permissions",
            ],
        },
    }
]

DATABASES = {
    "default": {
        **env.db_url_config(_urls.get("DATABASE_URL") or env.str("DATABASE_URL", default="postgres:///portal")),
        "ENGINE": "tenants.postgresql",
        "ATOMIC_REQUESTS": True,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = _urls.get("REDIS_URL") or env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 2, "SOCKET_TIMEOUT": 2},
        "KEY_PREFIX": "portal",
    }
}

AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "sign-in"
AXES_FAILURE_LIMIT = env.int("SIGN_IN_FAILURE_LIMIT", default=8)
AXES_COOLOFF_TIME = 0.25  # hours
# The sign-in form's input is called so, though a user's own field is `email`.
AXES_USERNAME_FORM_FIELD = "username"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "portal/locked_out.html"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
SILENCED_SYSTEM_CHECKS = ["axes.W003"] if DEBUG else []

PASSWORD_RESET_TIMEOUT = 24 * 3600

SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000")
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
_email_url = env.str("EMAIL_URL", default="")
SENDS_EMAIL = bool(_email_url)
globals().update(env.email("EMAIL_URL", default="dummymail://"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="adapter-portal@localhost")

LANGUAGE_CODE = "en-gb"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True

STATIC_URL = "/static/"
# Of the code, not of a site's data.
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "var" / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
AWS_REGION = env.str("AWS_REGION", default="")
S3_BUCKET = env.str("S3_BUCKET", default="")
S3_PREFIX = env.str("S3_PREFIX", default="")
S3_KMS_KEY_ID = env.str("S3_KMS_KEY_ID", default="")
_files: dict[str, Any] = {
    "BACKEND": "django.core.files.storage.FileSystemStorage",
    "OPTIONS": {
        "location": PORTAL_VAR / "objects",
        "file_permissions_mode": 0o600,
        "directory_permissions_mode": 0o700,
    },
}
_s3: dict[str, Any] = {
    "BACKEND": "storages.backends.s3.S3Storage",
    "OPTIONS": {
        "bucket_name": S3_BUCKET,
        "location": S3_PREFIX,
        "region_name": AWS_REGION or None,
        "signature_version": "s3v4",
        "file_overwrite": False,
        "object_parameters": {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": S3_KMS_KEY_ID} if S3_KMS_KEY_ID else {},
    },
}
STORAGES: dict[str, dict[str, Any]] = {
    "default": _s3 if S3_BUCKET else _files,
    "staticfiles": {"BACKEND": "portal.static_files.HashedStaticFiles"},
}
if env.bool("FRONT_ROUTES", default=False):
    _front = {"location": f"{S3_PREFIX}front/", "file_overwrite": True}
    _front_files = {"location": PORTAL_VAR / "front", "allow_overwrite": True}
    STORAGES["front"] = (
        {**_s3, "OPTIONS": {**_s3["OPTIONS"], **_front}}
        if S3_BUCKET
        else {**_files, "OPTIONS": {**_files["OPTIONS"], **_front_files}}
    )
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20
# The form of a router with a thousand rules, of four fields each.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000
MAX_UPLOAD_BYTES = env.int("MAX_UPLOAD_BYTES", default=5 * 2**30)
MAX_FORM_BYTES = env.int("MAX_FORM_BYTES", default=200 * 2**20)
UPLOAD_DIR = Path(env.str("UPLOAD_DIR", default=str(PORTAL_VAR / "uploads")))
# Behind a proxy all connections come from its address.
CONNECTIONS_PER_ADDRESS = env.int("CONNECTIONS_PER_ADDRESS", default=0 if SECURE_PROXY_SSL_HEADER else 100)
UPLOAD_IDLE_SECONDS = env.int("UPLOAD_IDLE_SECONDS", default=60)
UPLOAD_KEPT_HOURS = env.int("UPLOAD_KEPT_HOURS", default=24)
UPLOAD_ORIGINS = env.list("UPLOAD_ORIGINS", default=[])

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        # Plotly and Tabler write style attributes at run time.
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'", "data:"],
        "connect-src": ["'self'", *UPLOAD_ORIGINS],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "tenants.keys.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PARSER_CLASSES": [
        "rest.parsers.StrictJSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["tenants.access.HasPermission"],
    "DEFAULT_PAGINATION_CLASS": "rest.pagination.NewestFirst",
    "PAGE_SIZE": 50,
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "rest.problems.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = OPENAPI

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 100
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# With kombu's defaults nothing came back within 45 s of a worker's death, and a hung broker blocked a request for
# more than a minute.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    # For publishing only; a worker goes on trying to connect for ever.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.2,
    "interval_max": 0.2,
}
CELERY_TASK_PUBLISH_RETRY = False
# Its own file of last runs would be one more thing to write, for tasks that are due every few minutes.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_BEAT_SCHEDULE = SCHEDULE

TRIAL_COPY_DAYS = env.int("TRIAL_COPY_DAYS", default=30)

BASE_MODEL_DIR = Path(env.str("BASE_MODEL_DIR", default=str(BASE_DIR / "lorakit" / "tiny" / "model")))
BASE_MODEL_NAME = env.str("BASE_MODEL_NAME", default="tiny-llama")
BASE_MODEL_TITLE = env.str("BASE_MODEL_TITLE", default="Tiny Llama (2 M parameters, synthetic English)")
# Folders of the server from which operators may add base models on their page, beside base-models in PORTAL_VAR.
BASE_MODEL_FOLDERS = env.list("BASE_MODEL_FOLDERS", default=[])
MAX_LORA_RANK = env.int("MAX_LORA_RANK", default=64)
ENGINE_URL = env.str("ENGINE_URL", default="http://127.0.0.1:8002")
ENGINE_API_KEY = env.str("ENGINE_API_KEY", default="")
ENGINE_SLOTS = env.int("ENGINE_SLOTS", default=16)
ENGINES_URL = env.str("ENGINES_URL", default="http://127.0.0.1:8003" if EMBEDDED else "")
ENGINES_MEMORY_GIB = env.float("ENGINES_MEMORY_GIB", default=0.0)
ENGINES_IDLE_MINUTES = env.float("ENGINES_IDLE_MINUTES", default=15.0)
GATEWAY_URL = env.str("GATEWAY_URL", default="http://127.0.0.1:8001")
# Behind a proxy all connections come from its address.
GATEWAY_CONNECTIONS_PER_ADDRESS = env.int(
    "GATEWAY_CONNECTIONS_PER_ADDRESS", default=0 if SECURE_PROXY_SSL_HEADER else 256
)
LEDGER_DIR = Path(env.str("LEDGER_DIR", default=str(PORTAL_VAR / "ledger")))
INVOCATION_MONTHS_KEPT = env.int("INVOCATION_MONTHS_KEPT", default=13)
IDLE_COST_POLICY = env.str("IDLE_COST_POLICY", default="operator")
OUTPUT_TOKEN_WEIGHT = env.float("OUTPUT_TOKEN_WEIGHT", default=4.0)
STATEMENT_CLOSING_DAYS = env.int("STATEMENT_CLOSING_DAYS", default=3)

LOCAL_PRICE_USD_PER_HOUR = env.float("LOCAL_PRICE_USD_PER_HOUR", default=0.10)
LOCAL_STORAGE_PRICE_USD_PER_GB_MONTH = env.float("LOCAL_STORAGE_PRICE_USD_PER_GB_MONTH", default=0.10)
LOCAL_PRICE_SOURCE = env.str("LOCAL_PRICE_SOURCE", default="Estimate set by your site’s operator, not a bill")
_local_price = {"PRICE_USD_PER_HOUR": LOCAL_PRICE_USD_PER_HOUR, "PRICE_SOURCE": LOCAL_PRICE_SOURCE}

_local_compute: dict[str, Any] = {
    "BACKEND": "jobs.backends.local.LocalCompute",
    "OPTIONS": {
        "ROOT": PORTAL_VAR / "compute",
        "MAX_RUNNING": env.int("LOCAL_COMPUTE_SLOTS", default=2),
        "THREADS": env.int("LOCAL_COMPUTE_THREADS", default=0),
        "LEASE_SECONDS": 30,
        **_local_price,
    },
}
SAGEMAKER_ROLE_ARN = env.str("SAGEMAKER_ROLE_ARN", default="")
_base_model_uri = env.str("SAGEMAKER_BASE_MODEL_URI", default="")
_sagemaker_compute: dict[str, Any] = {
    "BACKEND": "jobs.backends.sagemaker.SageMakerCompute",
    "OPTIONS": {
        "BUCKET": S3_BUCKET,
        "PREFIX": S3_PREFIX,
        "KMS_KEY_ID": S3_KMS_KEY_ID,
        "REGION": AWS_REGION,
        "ROLE_ARN": SAGEMAKER_ROLE_ARN,
        "IMAGE": env.str("SAGEMAKER_IMAGE", default=""),
        "LAUNCHER": env.str("SAGEMAKER_LAUNCHER", default="boto3"),
        "REGISTRY_IMAGE": env.str("SAGEMAKER_REGISTRY_IMAGE", default=""),
        "INSTANCE_TYPE": env.str("SAGEMAKER_INSTANCE_TYPE", default="ml.g6e.xlarge"),
        "VOLUME_GB": env.int("SAGEMAKER_VOLUME_GB", default=100),
        "MAX_RUNTIME_SECONDS": env.int("SAGEMAKER_MAX_RUNTIME_SECONDS", default=86_400),
        "SPOT": env.bool("SAGEMAKER_SPOT", default=False),
        "MAX_WAIT_SECONDS": env.int("SAGEMAKER_MAX_WAIT_SECONDS", default=172_800),
        "SUBNETS": tuple(env.list("SAGEMAKER_SUBNETS", default=[])),
        "SECURITY_GROUP_IDS": tuple(env.list("SAGEMAKER_SECURITY_GROUP_IDS", default=[])),
        "NETWORK_ISOLATION": env.bool("SAGEMAKER_NETWORK_ISOLATION", default=False),
        "PIP_INSTALL": env.bool("SAGEMAKER_PIP_INSTALL", default=False),
        "TAGS": env.dict("SAGEMAKER_TAGS", default={}),
        "BASE_MODELS": {str(BASE_MODEL_DIR): _base_model_uri} if _base_model_uri else {},
        "MAX_RUNNING": env.int("SAGEMAKER_SLOTS", default=4),
        "POLL_SECONDS": env.float("SAGEMAKER_POLL_SECONDS", default=10.0),
        "PRICE_USD_PER_HOUR": env.float("SAGEMAKER_PRICE_USD_PER_HOUR", default=0.0),
        "PRICE_SOURCE": env.str("SAGEMAKER_PRICE_SOURCE", default=""),
    },
}

COMPUTE: dict[str, dict[str, Any]] = {
    "default": _sagemaker_compute if SAGEMAKER_ROLE_ARN else _local_compute,
    "checks": {
        "BACKEND": "jobs.backends.local.LocalCompute",
        "OPTIONS": {
            "ROOT": PORTAL_VAR / "compute",
            "MAX_RUNNING": 3,
            # A check may take minutes: whoever comes next finds a slot, however large another's file is.
            "MAX_RUNNING_PER_TENANT": 2,
            "LEASE_SECONDS": 30,
            "MEMORY_LIMIT_BYTES": 2 * 2**30,
            "PRICE_USD_PER_HOUR": 0.0,
            "PRICE_SOURCE": "Checking files is not charged",
        },
    },
}

_engine_options = {
    "API_KEY": ENGINE_API_KEY,
    "ADAPTER_DIR": PORTAL_VAR / "deployments",
    "MAX_RANK": MAX_LORA_RANK,
    "GPU_ADAPTERS": ENGINE_SLOTS,
    **_local_price,
}
_engine: dict[str, Any] = {
    "BACKEND": "serving.backends.vllm.VllmEndpoint",
    "OPTIONS": {
        **_engine_options,
        "URL": ENGINE_URL,
        "URLS": tuple(env.list("ENGINE_URLS", default=[])),
        "ENGINE": env.str("ENGINE_KIND", default="lorakit"),
        "CPU_ADAPTERS": env.int("ENGINE_CPU_ADAPTERS", default=0),
        "CONTEXT_TOKENS": env.int("ENGINE_CONTEXT_TOKENS", default=0),
        "WIDTH": env.int("ENGINE_WIDTH", default=32),
        "MEMORY_GIB": env.float("ENGINE_MEMORY_GIB", default=0.0),
        "GPUS": env.int("ENGINE_GPUS", default=0),
    },
}
SAGEMAKER_ENDPOINT = env.str("SAGEMAKER_ENDPOINT", default="")
_copies = env.int("SAGEMAKER_ENDPOINT_COPIES", default=1)
_sagemaker_endpoint: dict[str, Any] = {
    "BACKEND": "serving.backends.sagemaker.SageMakerEndpoint",
    "OPTIONS": {
        "ENDPOINT": SAGEMAKER_ENDPOINT,
        "BASE_COMPONENT": env.str("SAGEMAKER_BASE_COMPONENT", default=f"{SAGEMAKER_ENDPOINT}-base"),
        "BASE_MODEL": BASE_MODEL_NAME,
        "MODEL_URI": _base_model_uri,
        "BUCKET": S3_BUCKET,
        "PREFIX": f"{S3_PREFIX}deployments/",
        "KMS_KEY_ID": S3_KMS_KEY_ID,
        "REGION": AWS_REGION,
        "ROLE_ARN": env.str("SAGEMAKER_ENDPOINT_ROLE_ARN", default=SAGEMAKER_ROLE_ARN),
        "IMAGE": env.str("SAGEMAKER_ENDPOINT_IMAGE", default=""),
        "INSTANCE_TYPE": env.str("SAGEMAKER_ENDPOINT_INSTANCE_TYPE", default="ml.g6e.xlarge"),
        "INSTANCES": env.int("SAGEMAKER_ENDPOINT_INSTANCES", default=1),
        "LEAST_INSTANCES": env.int("SAGEMAKER_ENDPOINT_LEAST_INSTANCES", default=1),
        "MOST_INSTANCES": env.int("SAGEMAKER_ENDPOINT_MOST_INSTANCES", default=1),
        "COPIES": _copies,
        "LEAST_COPIES": env.int("SAGEMAKER_ENDPOINT_LEAST_COPIES", default=_copies),
        "MOST_COPIES": env.int("SAGEMAKER_ENDPOINT_MOST_COPIES", default=_copies),
        "CONCURRENCY_TARGET": env.float("SAGEMAKER_ENDPOINT_CONCURRENCY_TARGET", default=5.0),
        "SCALE_IN_SECONDS": env.int("SAGEMAKER_ENDPOINT_SCALE_IN_SECONDS", default=300),
        "SCALE_OUT_SECONDS": env.int("SAGEMAKER_ENDPOINT_SCALE_OUT_SECONDS", default=300),
        "SCHEDULE": env.json("SAGEMAKER_ENDPOINT_SCHEDULE", default=[]),
        "SCHEDULE_TIME_ZONE": env.str("SAGEMAKER_ENDPOINT_SCHEDULE_TIME_ZONE", default="UTC"),
        "ALARM_TOPIC": env.str("SAGEMAKER_ENDPOINT_ALARM_TOPIC", default=""),
        "ALARM_P95_SECONDS": env.float("SAGEMAKER_ENDPOINT_ALARM_P95_SECONDS", default=30.0),
        "ALARM_GPU_MEMORY_PERCENT": env.float("SAGEMAKER_ENDPOINT_ALARM_GPU_MEMORY_PERCENT", default=0.0),
        "ENHANCED_METRICS": env.bool("SAGEMAKER_ENDPOINT_ENHANCED_METRICS", default=False),
        "METRICS_SECONDS": env.int("SAGEMAKER_ENDPOINT_METRICS_SECONDS", default=60),
        "MEMORY_MB": env.int("SAGEMAKER_ENDPOINT_MEMORY_MB", default=1024),
        "MAX_RANK": MAX_LORA_RANK,
        "GPU_ADAPTERS": env.int("SAGEMAKER_ENDPOINT_GPU_ADAPTERS", default=8),
        "CPU_ADAPTERS": env.int("SAGEMAKER_ENDPOINT_CPU_ADAPTERS", default=64),
        "CONTEXT_TOKENS": env.int("SAGEMAKER_ENDPOINT_CONTEXT_TOKENS", default=4096),
        "INFERENCE_AMI": env.str("SAGEMAKER_ENDPOINT_INFERENCE_AMI", default=""),
        "SUBNETS": tuple(env.list("SAGEMAKER_SUBNETS", default=[])),
        "SECURITY_GROUP_IDS": tuple(env.list("SAGEMAKER_SECURITY_GROUP_IDS", default=[])),
        "NETWORK_ISOLATION": env.bool("SAGEMAKER_NETWORK_ISOLATION", default=False),
        "TAGS": env.dict("SAGEMAKER_TAGS", default={}),
        "PRICE_USD_PER_HOUR": env.float("SAGEMAKER_ENDPOINT_PRICE_USD_PER_HOUR", default=0.0),
        "PRICE_SOURCE": env.str("SAGEMAKER_ENDPOINT_PRICE_SOURCE", default=""),
    },
}

ENDPOINTS: dict[str, dict[str, Any]] = {"default": _sagemaker_endpoint if SAGEMAKER_ENDPOINT else _engine}
if ENGINES_URL and not SAGEMAKER_ENDPOINT:
    _site_engine = {"BACKEND": "serving.backends.vllm.SiteEngine", "OPTIONS": {**_engine_options, "URL": ENGINES_URL}}
    ENDPOINTS["engines"] = _site_engine
_engine_metrics = env.json("CLOUDWATCH_ENGINE_METRICS", default={})
USAGE_SOURCES = usage_sources(endpoint=SAGEMAKER_ENDPOINT, region=AWS_REGION, engine_metrics=_engine_metrics)

CURRENCY = checked_code(env.str("CURRENCY", default="USD"))
_price_region = {"REGION": env.str("AWS_PRICING_REGION", default="us-east-1")}
_price_list: dict[str, Any] = {"BACKEND": "metering.backends.pricing.AwsPriceList", "OPTIONS": _price_region}
PRICE_LISTS = {"default": _price_list} if SAGEMAKER_ROLE_ARN or SAGEMAKER_ENDPOINT else {}

JUDGES = all_judges(
    model=env.str("JUDGE_MODEL", default=""),
    url=env.str("JUDGE_URL", default=""),
    key=env.str("JUDGE_KEY", default=""),
    price_in=env.str("JUDGE_PRICE_IN", default=""),
    price_out=env.str("JUDGE_PRICE_OUT", default=""),
    region=AWS_REGION,
)
JUDGE_PRIVATE_HOSTS = env.list("JUDGE_PRIVATE_HOSTS", default=[])
WEBHOOK_PRIVATE_HOSTS = env.list("WEBHOOK_PRIVATE_HOSTS", default=[])

METRICS = all_metrics(wordnet=env.str("WORDNET_DIR", default=""))

# A model that turns texts into vectors: for metrics of likeness in meaning, alternatives to training, and routing.
ENCODERS = all_encoders(
    url=env.str("ENCODER_URL", default=""),
    key=env.str("ENCODER_API_KEY", default=""),
    model=env.str("ENCODER_MODEL", default="all-minilm-l6-v2"),
    tokens=env.bool("ENCODER_TOKEN_VECTORS", default=False),
)

ROUTE_CLASSIFIERS = route_classifiers(has_encoder=bool(ENCODERS))

LOGGING = logging_config(json=env.bool("LOG_JSON", default=not DEBUG), level=env.str("LOG_LEVEL", default="INFO"))
