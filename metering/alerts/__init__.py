"""Alerts: raised once, told by webhook and e-mail, acknowledged or snoozed by people."""
