"""Who acts: roles, what they may do, and the actor that every operation takes."""
