"""What each page shows, as values: read from the store, free of HTML. Geometry of drawings is in whole numbers."""
