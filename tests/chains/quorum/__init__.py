"""Several operators read one chain: they agree, lie, lag, fail, and contradict each other."""
