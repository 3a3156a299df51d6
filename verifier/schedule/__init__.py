"""Business time: what runs when, once for each business date, and what became of it."""
