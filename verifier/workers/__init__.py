"""Shards of sweeps read by other processes: the queue between them, the worker, and the sweep's side of it."""
