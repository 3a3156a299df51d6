"""Real processes killed at random: PostgreSQL, a node, `custody watch`, `custody worker`, and people's commands.

One seed chooses what happens on the chain and in the books, and a second generator of the same seed where the hand
strikes: kill -9, sleep, lost connections, clocks that jump. The same script is played calm and disturbed; both ends
must hold the same records. `python -m tests.chaos --seed N` plays one again.
"""
