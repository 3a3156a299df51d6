"""The people who use the system, and what each of them may do."""
