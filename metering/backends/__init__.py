"""Interchangeable implementations, chosen by settings: whatever metering asks outside of the site."""
