"""Cursors as Python writes them, to be held against what the statement writes."""

import base64
import hashlib
import hmac

import orjson

from api.planner.cursors import SEAL, CursorKey


def write_cursor(keys: list[str | None], key: CursorKey) -> str:
    """Write a cursor of a row with these keys."""
    payload = b"[" + b", ".join(orjson.dumps(each) for each in keys) + b"]"
    seal = hmac.new(key.key, payload, hashlib.sha256).digest()[:SEAL]
    return base64.urlsafe_b64encode(seal + payload).rstrip(b"=").decode()
