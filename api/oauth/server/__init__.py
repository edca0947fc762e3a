"""The authorization server: Authlib's, on our tables, each request in one transaction."""

import logging

logging.getLogger("authlib").setLevel(logging.INFO)
# Below that Authlib logs whole tokens (S15).
