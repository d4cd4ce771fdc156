"""A process that judges until it is done or killed: TENANT ROWS, with the site's shared judge."""

import sys
import time
from typing import Any
from uuid import UUID

import django


def main(tenant_id: str, count: int) -> None:
    django.setup()
    from evaluations.judging import claims, steps
    from evaluations.judging.jurors import shared_juror
    from evaluations.judging.plan import Plan
    from tenants.scope import tenant_scope
    from tests.evaluations.judging.case import one_criterion, rows

    # What a killed worker had claimed is free soon.
    claims.CLAIM_SECONDS, steps.PASS_WAIT = 2, 0.5
    plan, state, over = Plan(rubric=one_criterion()), dict[str, Any](), False
    with tenant_scope(UUID(tenant_id)):
        while not over:
            jury = [shared_juror("shared")]
            stage = steps.advance(jury, plan, lambda start: rows(count, start), state, total=count, seconds=1.0)
            state, over = stage.state, stage.over
            time.sleep(stage.wait)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
