"""SEC Rule 15c3-3: the reserve formula, what counts of reserve accounts, and required against held.

Here and not in `verifier`, so that an auditor computes again what a bundle says with the bare install; see decision
0018. What leads to the lines (ages, notes, calendars) is in `verifier/reserve`. Pure functions on dataclasses: nothing
reads a clock, a file, a database or a network. Each names the paragraph it follows; docs/rules.md lists them. Amounts
are whole US cents, in integers.

Paragraphs are of 17 CFR 240.15c3-3 unless another section is named; "Exhibit A" is 17 CFR 240.15c3-3a.
"""
