"""Shared endpoints: what each holds, the states of a deployment, and the reconciler that makes it so."""
