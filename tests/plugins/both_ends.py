"""How `--dist loadfile` hands out the files: one worker begins with the slowest, the others with the quick ones.

Files that start processes of their own hardly ever run beside each other then, and what is left for the end is short,
so that no worker waits long for another.
"""

import pytest
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

# Each takes a minute or more; the slowest first.
LONGEST = (
    "tests/site/test_browser_journey.py",
    "tests/site/test_kill.py",
    "tests/site/test_full_disk.py",
    "tests/corpora/ingest/test_child_is_killed.py",
    "tests/jobs/engine/test_survives_kills.py",
    "tests/portal/test_every_address.py",
    "tests/jobs/messages/test_survives_broker.py",
    "tests/jobs/backends/test_sagemaker_faults.py",
    "tests/evaluations/reviews/test_review_keys.py",
    "tests/portal/test_hostile_values.py",
    "tests/jobs/engine/test_survives_kills_on_aws.py",
)


def is_worker(config: pytest.Config) -> bool:
    """Whether this process runs tests for another one."""
    return hasattr(config, "workerinput")


def slow_files_first(items: list[pytest.Item]) -> None:
    """Sort by file: the longest, then those with a test that is marked slow, then the quick ones."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}

    def rank(item: pytest.Item) -> tuple[int, bool]:
        file = item.nodeid.split("::")[0]
        return LONGEST.index(file) if file in LONGEST else len(LONGEST), item.path not in slow

    items.sort(key=rank)


class FromBothEnds(LoadFileScheduling):  # type: ignore[misc]
    """Takes files in the order of collection, for the first worker from the start and for the others from the end."""

    def schedule(self) -> None:
        # Else the files with the most tests would come first.
        self.config.option.loadscopereorder = False
        super().schedule()

    def _assign_work_unit(self, node: WorkerController) -> None:
        if self.workqueue and node is not self.nodes[0]:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)
