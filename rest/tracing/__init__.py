"""Traces by OpenTelemetry's conventions, for a site that names a collector. Every other site loads nothing of it."""
