"""Freeze windows: times in which nothing is promoted, of an adapter, of a tenant, or of the whole site."""
