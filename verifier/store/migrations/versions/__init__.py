"""The schema steps."""
