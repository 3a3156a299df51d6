"""The sections of `custody.toml`, by subject; `verifier.config` puts them together and reads the file."""
