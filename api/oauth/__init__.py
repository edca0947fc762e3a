"""Who is asking: bearer tokens and, later, the authorization server."""
