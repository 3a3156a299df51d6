"""What custodians send: statements of holdings as messages, and what becomes of them. Pure.

The CSV form is a file of `positions`; the messages are ISO 15022 MT535 and ISO 20022 semt.002. A message is read to the
letter or refused whole: nothing of a statement that is partly understood is stored.
"""
