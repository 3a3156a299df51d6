"""Tests of the Bitcoin test node."""
