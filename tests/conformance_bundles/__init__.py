"""Good bundles and bad ones for whoever writes a verifier: `python -m tests.conformance_bundles.make FOLDER`."""
