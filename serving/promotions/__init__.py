"""Promotions and rollbacks: fingerprint checks, and the route from alias to live version."""
