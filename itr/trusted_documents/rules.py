"""What a manifest of documents says, whichever build tool wrote it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from itr.errors import DomainError

APOLLO = "apollo-persisted-query-manifest"
_LONGEST_ALIAS = 200


class BadManifest(DomainError):
    """The manifest is in none of the forms known."""

    code = "BAD_MANIFEST"
    zh = "清单格式未知：应为 Relay（id 到文档的映射）或 Apollo 的持久化查询清单。"
    en = "The manifest is of no known form: Relay's map of ids to documents, or Apollo's."


@dataclass(frozen=True, slots=True)
class Listed:
    """One document of a manifest."""

    alias: str
    body: str

    @property
    def sha256(self) -> str:
        """What it is known by."""
        return sha256_of(self.body)


def sha256_of(document: str) -> str:
    """The SHA-256 of a document's text, as clients compute it."""
    return hashlib.sha256(document.encode(errors="surrogatepass")).hexdigest()


def listed(manifest: object) -> list[Listed]:
    """Read a manifest, as Relay or as Apollo writes them; raises BadManifest."""
    found = list(_entries(manifest))
    if not found or not all(_is_good(*entry) for entry in found):
        raise BadManifest
    return [Listed(str(alias).removeprefix("sha256:"), str(body)) for alias, body in found]


def _entries(manifest: object) -> Iterator[tuple[object, object]]:
    if isinstance(manifest, dict) and manifest.get("format") == APOLLO:
        operations = manifest.get("operations")
        for each in operations if isinstance(operations, list) else []:
            yield (each.get("id"), each.get("body")) if isinstance(each, dict) else (None, None)
    elif isinstance(manifest, dict):
        yield from manifest.items()
    elif isinstance(manifest, list):
        for each in manifest:
            yield tuple(each) if isinstance(each, list) and len(each) == 2 else (None, None)


def _is_good(alias: object, body: object) -> bool:
    return (
        isinstance(alias, str)
        and 0 < len(alias) <= _LONGEST_ALIAS
        and isinstance(body, str)
        and bool(body.strip())
    )
