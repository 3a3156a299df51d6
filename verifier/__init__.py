"""The comparison and the people: store, journal, sweeps, reconciliation, cases, and the `custody` command."""
