"""Routers: models of the gateway that choose another model for each request, by rules, a classifier and a default."""
