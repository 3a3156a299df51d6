"""Tests of the auditor bundle."""
