"""Runs the whole site on one machine as child processes of one command."""
