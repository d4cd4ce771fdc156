"""PostgreSQL and Valkey as child processes, for machines that have neither.

This package uses only the standard library, because it runs before Django's settings are loaded.
"""
