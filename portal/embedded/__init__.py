"""PostgreSQL and Valkey as child processes, for machines that offer neither.

Only the standard library is used: this package runs before Django's settings are loaded.
"""
