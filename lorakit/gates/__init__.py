"""Decisions about an adapter version: conditions, the evidence that they are checked on, and the verdict. Pure."""
