"""A local Ethereum chain for tests and demonstrations: Anvil, odd tokens, a proxy that lies, pytest fixtures."""
