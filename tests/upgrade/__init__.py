"""Dumps of every released schema with rows in it, and the test that each comes to the newest schema."""
