"""Addresses of PostgreSQL, as settings give them and as asyncpg takes them."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


def credentials(url: str) -> dict[str, Any]:
    """Take a PostgreSQL URL apart, with a socket folder in `?host=` if it has one."""
    parts = urlsplit(url)
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    return {
        "host": query.get("host") or parts.hostname or "127.0.0.1",
        "port": int(query.get("port") or parts.port or 5432),
        "user": unquote(parts.username or "postgres"),
        "password": unquote(parts.password) if parts.password else None,
        "database": unquote(parts.path.removeprefix("/")) or "postgres",
    }
