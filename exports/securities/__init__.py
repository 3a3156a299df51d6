"""The books' securities compared with what custodians state: the comparison with its inputs, repeatable by an auditor.

Pure, and without a database. What the firm's books say and what was stated are inputs; every status follows from them.
"""
