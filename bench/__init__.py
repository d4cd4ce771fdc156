"""Benchmarks: `make bench-NAME` runs `bench/NAME.py` and leaves `var/bench/NAME.json`."""
