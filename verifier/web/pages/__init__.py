"""The pages for people, rendered here and kept fresh by htmx."""
