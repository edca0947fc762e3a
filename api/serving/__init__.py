"""How connections are taken: who may stay, for how long, and whose word of addresses counts."""
