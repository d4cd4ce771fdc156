"""`manage.py base_model_work ID FENCE`: add or check a base model, as an operator began it on a page.

The worker starts this. It ends with all its processes when it is stopped on the page or loses its lease.
"""

import os
import signal
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandParser

from adapters.models import BaseModelWork, WorkState
from adapters.operator.doing import do_work
from adapters.operator.lease import held

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "Add or check a base model, as an operator began it on a page. The worker starts this."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("work")
        parser.add_argument("fence", type=int)

    def handle(self, *_args: Any, **options: Any) -> None:
        mine = BaseModelWork.objects.filter(id=options["work"], fence=options["fence"], state=WorkState.RUNNING)
        work = mine.first()
        if work is None:
            return
        with held(work, lost=self.end):
            do_work(work)

    def end(self) -> None:
        """End this process and those that it started, such as a conversion."""
        log.warning("base_model_work_lost")
        os.killpg(os.getpgid(0), signal.SIGKILL)
