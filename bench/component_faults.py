"""Promotions whose new component meets trouble in AWS, while callers ask for the live version.

`make bench-component_faults` starts a site of its own (`manage.py up`) in front of the stand-in's inference components.
Callers use OpenAI's client with its own retries. Apart from the rest are counted: requests while the base model's
container is gone, and streams of a canary that break after callers have the first part.
"""

import datetime as dt
import logging
import sys
from unittest.mock import patch

from bench.component_faults_cases import CASES, Case, Outcome, meet
from bench.component_faults_site import AwsSite, running_aws_site
from bench.promotion_site import promote, seed
from bench.report import Goal, finish
from portal.demo.standin import BUCKET
from standin.objects import client
from standin.server import REGION

PACKAGES = ("aiohttp", "uvicorn", "openai", "django", "celery", "boto3", "moto")
GOALS: dict[str, Goal] = {
    "answered_percent": (">=", 99.9),
    "wrong_answers": ("<=", 0),
    "reasons_missing": ("<=", 0),
    "ended_otherwise": ("<=", 0),
    "components_without_owner": ("<=", 0),
    "objects_without_owner": ("<=", 0),
}


def main() -> int:
    """Measure and report."""
    figures: dict[str, float] = {}
    outcomes: dict[str, Outcome] = {}
    logging.disable(logging.CRITICAL)
    with running_aws_site() as aws:
        [caller] = seed(aws.site, callers=1, versions=len(CASES) + 1)
        promote(caller, 1)
        for number, case in enumerate(CASES, 2):
            print(case.name, flush=True)
            outcomes[case.name] = meet(aws, caller, case, number)
            figures |= _seen(case, outcomes[case.name])
        figures["base_gone_back_seconds"] = outcomes["base_gone"].base_back_seconds
        others = [name for name in outcomes if name != "base_gone"]
        asked, failed = (sum(figures[f"{name}_{what}"] for name in others) for what in ("requests", "failed"))
        figures["answered_percent"] = 100 * (1 - failed / asked)
        answered = [one for outcome in outcomes.values() for one in outcome.seen if not one.error]
        figures["wrong_answers"] = sum(one.text != caller.answers.get(one.version) for one in answered)
        figures["reasons_missing"] = sum(not one.reason_shown for one in outcomes.values())
        figures["ended_otherwise"] = sum(not one.ended_as_expected for one in outcomes.values())
        figures["components_without_owner"] = sum(one.without_owner for one in outcomes.values())
        figures["objects_without_owner"] = _objects_without_owner(aws)
    return finish("component_faults", figures=figures, goals=GOALS, packages=PACKAGES)


def _seen(case: Case, outcome: Outcome) -> dict[str, float]:
    for error in sorted({one.error for one in outcome.seen if one.error}):
        print(f"  {error} {sum(one.error == error for one in outcome.seen)} times", flush=True)
    errors = [one for one in outcome.seen if one.error]
    # A stream that has begun is the version's that its headers name.
    broken = sum(one.version == outcome.new for one in errors)
    figures: dict[str, float] = {
        f"{case.name}_seconds": outcome.seconds,
        f"{case.name}_requests": len(outcome.seen),
        f"{case.name}_failed": len(errors) - broken,
    }
    return figures | ({f"{case.name}_streams_broken": broken} if case.canary else {})


def _objects_without_owner(aws: AwsSite) -> int:
    """Archives of no deployment, after a look at them that takes none for too young."""
    from serving.backends.sagemaker import artifacts
    from serving.endpoints.reconciler import reconcile
    from serving.models import HELD, Deployment
    from tenants.scope import system_scope

    with patch.object(artifacts, "TIDY_AFTER", dt.timedelta(0)), patch.object(artifacts, "TIDY_EVERY_SECONDS", 0.0):
        reconcile()
    with system_scope():
        held = set(Deployment.objects.filter(state__in=HELD).values_list("version__package_sha256", flat=True))
    listed = client("s3", aws.standin.url, REGION).list_objects_v2(Bucket=BUCKET)["Contents"]
    archives = [one["Key"] for one in listed if "deployments/" in one["Key"]]
    return sum(key.rpartition("/")[2].removesuffix(artifacts.NAME_SUFFIX) not in held for key in archives)


if __name__ == "__main__":
    sys.exit(main())
