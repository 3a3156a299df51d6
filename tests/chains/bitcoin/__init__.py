"""Tests of the Bitcoin adapter."""
