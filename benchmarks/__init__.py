"""How fast, against what: each benchmark runs a peer and a floor beside ours, in one run, and prints ratios.

`python -m benchmarks NAME --json` prints one JSON object per line. All sides are checked for equal results before
they are timed, then run in turn, so that a machine whose speed drifts disturbs all of them alike.
"""
