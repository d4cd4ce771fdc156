"""Uploads: receive a file, inspect it, import it as a dataset version."""
