"""A Bitcoin test network in one process: Bitcoin Core's consensus library behind a front that answers as Core does.

`node.RegtestNode` is what a test holds; it works the same on this front and on a real `bitcoind`.
"""
