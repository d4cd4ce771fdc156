"""Compiles rules in a child process, so that no pattern can hold up or fill the caller's."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from lorakit.route.rules import BadRules, Rule, check_sizes

LONGEST_SECONDS = 60
"""By the clock. The child's processor time is bounded too, and as a rule ends it first."""

ROOT = Path(__file__).parents[2]
_AT = re.compile(rb"\d+ \d+")

KEPT_VARIABLES = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")


class _Fault(msgspec.Struct):
    message: str
    rule: int | None
    text: int | None


def compile_bounded(rules: Sequence[Rule]) -> bytes:
    """The compiled table, for `Table.load`. Raises BadRules, also for what takes too long or too much memory."""
    check_sizes(rules)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "lorakit.route"],
            input=msgspec.json.encode(rules),
            capture_output=True,
            timeout=LONGEST_SECONDS,
            check=False,
            cwd=ROOT,
            env={name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ},
        )
    except subprocess.TimeoutExpired as expired:
        raise _too_hard(rules, expired.stderr or b"") from None
    if done.returncode == 0:
        return done.stdout
    if done.returncode == 2:
        fault = msgspec.json.decode(done.stderr.splitlines()[-1], type=_Fault)
        raise BadRules(fault.message, rule=fault.rule, text=fault.text)
    raise _too_hard(rules, done.stderr)


def _too_hard(rules: Sequence[Rule], said: bytes) -> BadRules:
    """Names the text that was being compiled, unless it was the last: then it may be all of them together."""
    last = [line for line in said.splitlines() if _AT.fullmatch(line)][-1:]
    rule, text = (int(index) for index in last[0].split()) if last else (len(rules) - 1, -1)
    if rule == len(rules) - 1 and len(rules) > 1:
        return BadRules("These patterns take too long to compile together. Use fewer, or smaller repeats.")
    shown = rules[rule].texts[text][:60]
    return BadRules(f"This takes too long to compile. Use smaller repeats. (“{shown}”)", rule=rule, text=text)
