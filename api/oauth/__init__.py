"""Who is calling: bearer tokens, their keys, and the actor behind them."""

from api.oauth.identities import Identities, Identity
from api.oauth.keys import Keys
from api.oauth.tokens import Claims, Unauthenticated, issue_token, verify_token

__all__ = [
    "Claims",
    "Identities",
    "Identity",
    "Keys",
    "Unauthenticated",
    "issue_token",
    "verify_token",
]
