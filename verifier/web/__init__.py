"""The web pages and the HTTP API. A leaf: nothing else in the package imports it."""
