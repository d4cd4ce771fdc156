"""Single invocations: collected once from the ledgers' files, added up by the hour with a sketch of latencies."""
