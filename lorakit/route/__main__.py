"""`python -m lorakit.route`: rules as JSON on standard input, the compiled table on standard output.

Standard error has a line for each text that is being compiled, "RULE TEXT". What is wrong with one follows as
{"message", "rule", "text"}, with status 2.
"""

import resource
import sys

import msgspec

from lorakit.route.rules import BadRules, Rule
from lorakit.route.table import Table

CPU_SECONDS = 5
MEMORY_BYTES = 2 * 2**30


def main() -> int:
    """A few patterns take Hyperscan minutes and gigabytes to compile, so this process may use neither."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    rules = msgspec.json.decode(sys.stdin.buffer.read(), type=list[Rule])
    try:
        table = Table.compile(rules, before=lambda rule, text: _say(f"{rule} {text}".encode()))
    except BadRules as error:
        fault = {"message": error.message, "rule": error.rule, "text": error.text}
        _say(msgspec.json.encode(fault))
        return 2
    sys.stdout.buffer.write(table.dump())
    return 0


def _say(line: bytes) -> None:
    sys.stderr.buffer.write(line + b"\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
