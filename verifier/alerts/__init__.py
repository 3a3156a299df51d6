"""Telling people at once: events become rows with the act they speak of, and messages after it was committed."""
