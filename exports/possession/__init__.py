"""Possession or control of customers' securities, 17 CFR 240.15c3-3(b) to (d), as an auditor can compute it again.

Inputs are frozen dataclasses made elsewhere from the firm's books; nothing here reads a clock, a file, a calendar or a
database. Quantities are whole base units, money is whole US cents, dates are civil dates of the firm. What says who
else could move coins of a wallet is another topic: `exports.control_records`.
"""
