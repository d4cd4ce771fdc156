"""Requests to addresses that customers entered."""
