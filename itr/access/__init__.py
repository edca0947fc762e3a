"""Access: who may sign in, which programs may act for them, and until when."""
