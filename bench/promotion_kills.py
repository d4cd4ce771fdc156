"""kill -9 of one part of the site after another while callers ask."""

import time

import psutil

from bench.promotion_load import load
from bench.promotion_site import PARTS, Caller, Site

BEFORE_SECONDS, AFTER_SECONDS, BACK_SECONDS = 5.0, 15.0, 60.0


def kill_in_turn(site: Site, callers: list[Caller]) -> dict[str, float]:
    """Percent of requests that the live version answered, with the client's retries and without, of all kills."""
    figures: dict[str, float] = {}
    live = {caller.alias: caller.answers[caller.live] for caller in callers}
    asked = answered = began_well = 0
    for part in PARTS:
        with load(site.gateway, callers) as seen:
            time.sleep(BEFORE_SECONDS)
            before = site.processes(part)
            before[0].kill()
            at = time.time()
            _wait_until_back(site, part, before)
            figures[f"kill_{part}_back_s"] = time.time() - at
            time.sleep(AFTER_SECONDS)
        right = [one for one in seen if not one.error and one.text == live[one.alias]]
        for error in sorted({one.error for one in seen if one.error}):
            print(f"  {part}: {error} {sum(one.error == error for one in seen)} times", flush=True)
        figures[f"kill_{part}_requests"] = len(seen)
        figures[f"kill_{part}_failed"] = len(seen) - len(right)
        figures[f"kill_{part}_first_attempts_failed"] = sum(not one.began_well for one in seen)
        figures[f"kill_{part}_slowest_s"] = max(one.ended - one.began for one in seen)
        asked, answered = asked + len(seen), answered + len(right)
        began_well += sum(one.began_well for one in right)
    figures["kills_answered_percent"] = 100 * answered / asked
    figures["kills_answered_without_retries_percent"] = 100 * began_well / asked
    return figures


def _wait_until_back(site: Site, part: str, before: list[psutil.Process]) -> None:
    """Return once as many run as before, without the first; RuntimeError after BACK_SECONDS."""
    deadline = time.monotonic() + BACK_SECONDS
    while len(running := site.processes(part)) != len(before) or before[0] in running:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{part} did not come back")
        time.sleep(0.05)
