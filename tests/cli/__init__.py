"""The `custody` command, tried as its users do."""
