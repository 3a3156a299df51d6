"""SEC Rule 15c3-3: what leads to the lines of the reserve formula, and when it is due; see also `exports.reserve`.

Nothing in here reads a clock, a file, a database or a network: dates, rows and evidence are passed in. Each function
names the paragraph it follows; docs/rules.md lists them. Amounts are whole US cents, in integers.

Paragraphs are of 17 CFR 240.15c3-3 unless another section is named; "Exhibit A" is 17 CFR 240.15c3-3a.
"""
