"""Tests of what the firm says."""
