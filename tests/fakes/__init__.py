"""Stand-ins for the outside world that a test can script: they live in memory and do what no devnet can."""
