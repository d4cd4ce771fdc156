"""Promotions and rollbacks that nobody notices: under load, token for token, and through kills.

`make bench-promotion` starts a site of its own (`manage.py up`) with real canary adapters, whose greedy answers tell
their version. PROMOTION_SWITCHES sets the number of promotions and rollbacks (100), PROMOTION_ANSWERS that of greedy
answers (100,000) and PROMOTION_SECONDS how long they may take (300).
"""

import asyncio
import logging
import os
import sys

from bench.promotion_greedy import compare
from bench.promotion_kills import kill_in_turn
from bench.promotion_site import promote, running_site, seed
from bench.promotion_switches import switch_under_load
from bench.report import Goal, finish

SWITCHES = int(os.environ.get("PROMOTION_SWITCHES", "100"))
ANSWERS = int(os.environ.get("PROMOTION_ANSWERS", "100000"))
SECONDS = float(os.environ.get("PROMOTION_SECONDS", "300"))
CALLERS = 3
PACKAGES = ("aiohttp", "uvicorn", "torch", "openai", "django", "celery")
GOALS: dict[str, Goal] = {
    "switches": (">=", 100),
    "switch_failed": ("<=", 0),
    "switch_wrong": ("<=", 0),
    "switch_recorded_as_another": ("<=", 0),
    "rollback_seen_max_s": ("<=", 1.0),
    "greedy_answers": (">=", 100_000),
    "greedy_control_different": ("<=", 0),
    "greedy_different": ("<=", 0),
    "kills_answered_percent": (">=", 99.9),
}


def main() -> int:
    """Measure and report."""
    figures: dict[str, float] = {}
    # What has been tried again is not an error.
    logging.disable(logging.WARNING)
    with running_site() as site:
        for number, gateway in enumerate(site.processes("gateway"), 1):
            memory = gateway.memory_full_info()
            figures[f"gateway_{number}_rss_mb"] = memory.rss / 1e6
            figures[f"gateway_{number}_own_mb"] = memory.uss / 1e6
        callers = seed(site, callers=CALLERS, versions=SWITCHES // CALLERS // 2 + 3)
        for caller in callers:
            promote(caller, 1)
        print(f"{SWITCHES} promotions and rollbacks", flush=True)
        figures |= switch_under_load(site, callers, SWITCHES)
        print("greedy answers while adapters come and go", flush=True)
        figures |= asyncio.run(compare(site, answers=ANSWERS, seconds=SECONDS))
        print("kills", flush=True)
        figures |= kill_in_turn(site, callers)
    return finish("promotion", figures=figures, goals=GOALS, packages=PACKAGES)


if __name__ == "__main__":
    sys.exit(main())
