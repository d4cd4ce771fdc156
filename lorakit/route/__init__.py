"""Which adapter answers a request: rules compiled once, then a classifier's guess, then a default. Pure and small."""
