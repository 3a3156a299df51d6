"""The sweep from end to end: real books, a real store, and chains that behave, misbehave and reorganise."""
