"""`python -m lorakit.verify pack.zip`: whether an evidence pack is whole and its verdict right.

Needs neither the site nor a database. Exit status 0: everything holds; 1: something does not; 2: no evidence pack.
"""

import argparse
import sys
from pathlib import Path

from lorakit.verify.checking import Findings, NoPack, check_pack


def main(arguments: list[str] | None = None) -> int:
    """Print what holds and what does not; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m lorakit.verify", description=__doc__.partition("\n")[0])
    parser.add_argument("pack", type=Path, help="the evidence pack, a ZIP file")
    parser.add_argument("--key", default="", help="the site's public key, as /api/v1/signing-key/ gives it")
    options = parser.parse_args(arguments)
    try:
        found = check_pack(options.pack, key=options.key)
    except (NoPack, OSError) as error:
        sys.stderr.write(f"Not verified: {error}\n")
        return 2
    sys.stdout.write(report(found, options.pack.name, is_key_given=bool(options.key)))
    return 1 if found.problems else 0


def report(found: Findings, name: str, *, is_key_given: bool) -> str:
    """As plain text, a finding a line."""
    lines = [f"{found.title or name}: the verdict is “{found.state or 'unknown'}”."]
    lines += [f"ok    {text}" for text in found.agreed]
    lines += [f"note  {text}" for text in found.notes]
    if not is_key_given:
        lines.append("note  Compare the key with the site’s, at /api/v1/signing-key/, or give it with --key")
    lines += [f"FAIL  {text}" for text in found.problems]
    return "\n".join([*lines, "Not verified." if found.problems else "Verified.", ""])


if __name__ == "__main__":
    sys.exit(main())
