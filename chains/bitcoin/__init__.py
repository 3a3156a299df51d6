"""The Bitcoin adapter: blocks are followed, and balances are what our own ledger of output scripts says."""
