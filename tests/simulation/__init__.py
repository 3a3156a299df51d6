"""Long stories from one seed each: a chain that lies and reorganises, nodes, a clock, a store that fails, people.

Each story is told twice, once undisturbed and once with processes that die and a store that refuses; after every step
the invariants of docs/faults.md are asserted against a plain model of the truth, and both ends must be the same.
`python -m tests.simulation --seed N` tells one story again.
"""
