"""Benchmarks: `make bench-NAME` runs `bench/NAME.py` and writes `var/bench/NAME.json`."""
