"""Being told: the list in the system and messages that leave it (R-NOT)."""
