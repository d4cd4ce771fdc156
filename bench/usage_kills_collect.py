"""A collector of bench/usage_kills.py: reads every ledger of a folder to its end, unless it is killed before."""

import sys
from pathlib import Path


def main() -> None:
    import django

    django.setup()
    from metering.ledger.collector import collect

    collect(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
