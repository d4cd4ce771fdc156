"""Shared by every REST API: errors and their documents, parsers, pagination and base views."""
