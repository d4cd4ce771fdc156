"""A process that asks the outside models of an evaluation until they have answered or it is killed: TENANT RUN."""

import sys
import time
from uuid import UUID

import django


def main(tenant_id: str, run_id: str) -> None:
    django.setup()
    from evaluations.models import EvaluationRun
    from evaluations.runs.stages.outside import ask_outside
    from tenants.scope import tenant_scope

    with tenant_scope(UUID(tenant_id)):
        while (outcome := ask_outside(EvaluationRun.objects.get(id=run_id))) is not None:
            time.sleep(outcome.after or 0.1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
