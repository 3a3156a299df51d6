"""The rules: plain functions on frozen dataclasses. They do no I/O and never read the clock."""
