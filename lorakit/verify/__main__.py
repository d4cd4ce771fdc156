"""`python -m lorakit.verify FILE`: whether an evidence pack or a receipt is whole, and what it says right.

Needs neither the site nor a database. Exit status 0: everything holds; 1: something does not; 2: neither pack nor
receipt, or a file that can't be read.
"""

import argparse
import sys
from pathlib import Path

from lorakit.verify.checking import Findings, NoPack, check_pack
from lorakit.verify.checking_receipts import NoReceipt, check_receipt


def main(arguments: list[str] | None = None) -> int:
    """Print what holds and what does not; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m lorakit.verify", description=__doc__.partition("\n")[0])
    parser.add_argument("file", type=Path, help="the evidence pack, a ZIP file; or the receipt, or an answer with one")
    parser.add_argument("--key", default="", help="the site's public key, as /api/v1/signing-key/ gives it")
    parser.add_argument("--request", type=Path, help="for a receipt: the JSON body that was sent")
    parser.add_argument("--answer", type=Path, help="for a receipt: the answer (.json), or its text alone")
    options = parser.parse_args(arguments)
    try:
        if _is_json(options.file):
            found = check_receipt(options.file, key=options.key, request=options.request, answer=options.answer)
            opening = found.title
        elif options.request or options.answer:
            parser.error("--request and --answer are for receipts, and this file is not JSON")
        else:
            found = check_pack(options.file, key=options.key)
            opening = f"{found.title or options.file.name}: the verdict is “{found.state or 'unknown'}”."
    except (NoPack, NoReceipt, OSError) as error:
        sys.stderr.write(f"Not verified: {error}\n")
        return 2
    sys.stdout.write(report(found, opening, is_key_given=bool(options.key)))
    return 1 if found.problems else 0


def report(found: Findings, opening: str, *, is_key_given: bool) -> str:
    """As plain text, a finding a line."""
    lines = [opening]
    lines += [f"ok    {text}" for text in found.agreed]
    lines += [f"note  {text}" for text in found.notes]
    if not is_key_given:
        lines.append("note  Compare the key with the site’s, at /api/v1/signing-key/, or give it with --key")
    lines += [f"FAIL  {text}" for text in found.problems]
    return "\n".join([*lines, "Not verified." if found.problems else "Verified.", ""])


def _is_json(path: Path) -> bool:
    with path.open("rb") as file:
        return path.suffix == ".json" or file.read(64).lstrip().startswith(b"{")


if __name__ == "__main__":
    sys.exit(main())
