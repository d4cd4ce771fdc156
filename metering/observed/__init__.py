"""What a cloud counted: read by hour until it no longer changes, and compared with the ledger."""
