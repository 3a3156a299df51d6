"""Steps after the first, for tests alone."""
