"""Invocations: collected exactly once from the ledger files and rolled up by hour with a latency sketch."""
