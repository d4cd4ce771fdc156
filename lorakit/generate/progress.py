"""Reports how far a generation is, and ends it when it is cancelled."""

import time
from collections.abc import Sequence as Many

from lorakit.contracts import GenerateSpec
from lorakit.generate.answers import Answers
from lorakit.rundir import Run
from lorakit.serve.steps.sequences import Sequence


class Progress:
    """Called after every decode step: emits events at most once per second, and checks for cancellation."""

    def __init__(self, run: Run[GenerateSpec], answers: Answers, total: int) -> None:
        self.run = run
        self.answers = answers
        self.total = total
        self._first, self._first_tokens = answers.count, answers.tokens
        self._started = self._reported = time.monotonic()

    def __call__(self, running: Many[Sequence]) -> None:
        """Report progress if the last report is a second old. Raises RunCancelled."""
        self.run.check_cancelled()
        if time.monotonic() - self._reported >= 1.0:
            self.report(running)

    def report(self, running: Many[Sequence]) -> None:
        """Report progress. Rates and the time left count from this attempt's beginning."""
        self._reported, done = time.monotonic(), self.answers.count
        seconds, new = self._reported - self._started, done - self._first
        under_way = sum(len(row.tokens) for row in running if row.finish is None)
        tokens = self.answers.tokens - self._first_tokens + under_way
        self.run.emit(
            "metric",
            step=done,
            total=self.total,
            fraction=round(done / max(self.total, 1), 4),
            tokens_per_second=round(tokens / max(seconds, 1e-3), 1),
            eta_seconds=round(seconds / new * (self.total - done), 1) if new else None,
        )
