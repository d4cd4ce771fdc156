"""Anomalies: hours whose latency, failed requests or cost are unusually high for their weekday and time."""
