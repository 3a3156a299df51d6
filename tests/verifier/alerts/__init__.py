"""Alerts: from the act to the receiver."""
